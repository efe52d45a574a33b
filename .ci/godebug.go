// Package godebug takes the place of the standard library's in the product (see
// the Makefile). That one watches the variable GODEBUG, counts what it changes
// and can bisect it, for the one package there that asks: time, whether its
// channels are those of Go 1.22. Here all is as in Go 1.26.
package godebug

// Setting is a setting in GODEBUG.
type Setting struct{}

// New returns the setting of a name.
func New(string) *Setting { return &Setting{} }

// Value returns "", which is the default.
func (*Setting) Value() string { return "" }

// IncNonDefault counts how often it was not the default.
func (*Setting) IncNonDefault() {}
