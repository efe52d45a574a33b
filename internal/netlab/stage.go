package netlab

import (
	"fmt"
	"os"
)

// A Stage stands in for a test where a program, and no test, wants a Lab.
// What fails ends the program.
type Stage struct {
	Program string // its name
	failed  bool
	exits   []func()
}

func (s *Stage) Helper()          {}
func (s *Stage) Name() string     { return s.Program }
func (s *Stage) Failed() bool     { return s.failed }
func (s *Stage) Cleanup(f func()) { s.exits = append(s.exits, f) }

// Logf prints a line for whoever started the program.
func (s *Stage) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// Fatalf says what is wrong, cleans up and ends the program.
func (s *Stage) Fatalf(format string, args ...any) {
	s.failed = true
	s.Logf(format, args...)
	s.End()
	os.Exit(1)
}

// End cleans up, the last one first.
func (s *Stage) End() {
	for len(s.exits) > 0 {
		last := s.exits[len(s.exits)-1]
		s.exits = s.exits[:len(s.exits)-1]
		last()
	}
}
