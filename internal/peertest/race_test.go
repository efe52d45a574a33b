//go:build race

package peertest

func init() { buildFlags, cgo = []string{"-race"}, "CGO_ENABLED=1" }
