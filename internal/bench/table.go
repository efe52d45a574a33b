package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// table prints what was measured, line by line.
type table struct{ out io.Writer }

// none stands where there is nothing to say.
var none = math.NaN()

// section begins a part; base says what ours is measured against.
func (t *table) section(title, base string) {
	fmt.Fprintf(t.out, "\n%s, against %s\n%-60s %12s %12s %8s %6s\n", title, base, "", "ours", "baseline", "ratio", "allocs")
}

// row prints one line. The unit is part of what.
func (t *table) row(what string, ours, base, allocs float64) {
	fmt.Fprintf(t.out, "  %-58s %12s %12s %8s %6s\n", what, number(ours), number(base), number(ours/base), number(allocs))
}

// note says more about the line before.
func (t *table) note(format string, args ...any) {
	fmt.Fprintf(t.out, "  ("+format+")\n", args...)
}

// number writes three digits or more, the thousands apart.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v == math.Trunc(v) && a < 1000, a >= 99.95 && a < 999.5:
		return fmt.Sprintf("%.0f", v)
	case a < 9.995:
		return fmt.Sprintf("%.2f", v)
	case a < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	var parts []string
	for ; len(s) > 3; s = s[:len(s)-3] {
		parts = append(parts, s[len(s)-3:])
	}
	parts = append(parts, s)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}

func median(v []float64) float64 { return share(v, 0.5) }

// share returns the value below which a share of all lies.
func share(v []float64, of float64) float64 {
	if len(v) == 0 {
		return none
	}
	v = slices.Sorted(slices.Values(v))
	return v[min(len(v)-1, int(of*float64(len(v))))]
}
