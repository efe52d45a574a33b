//go:build race || raced

package peertest

func init() { buildFlags = []string{"-race"} }
