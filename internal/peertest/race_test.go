//go:build race

package peertest

func init() { buildFlags = []string{"-race"} }
