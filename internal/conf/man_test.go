package conf

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// manPage returns dhcp.conf(5), on one line, without the requests that only
// say how it looks.
func manPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../man/dhcp.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\n.Xo\n", "\n", "\n.It Xo\n", "\n.It ", "\n.Op Cm ", " Cm ", "\n.Oo Cm ", " Oo Cm ", " No { ", " { ").Replace(string(text))
	return strings.ReplaceAll(plain, "\n", " ")
}

// TestP1_ManPageHasAllWords: each element, option, tag type, and what stands
// within them, has its place in the man page.
func TestP1_ManPageHasAllWords(t *testing.T) {
	text := manPage(t)
	want := []string{".D1 Ic include Ar path"}
	for _, e := range elements {
		if e != "option" && e != "include" {
			want = append(want, ".It Ic "+e+" ")
		}
	}
	for _, o := range optionKinds {
		want = append(want, "Ic option Oo Ar if Oc Cm "+o.name+" ")
		for word := range strings.FieldsFuncSeq(o.usage, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz", r) }) {
			switch word {
			case "tag", "number", "host", "seconds", "name", "value", "hexdigits", "path": // what stands for a value
			default:
				want = append(want, "Cm "+word)
			}
		}
	}
	for kind := range valueUsages {
		want = append(want, ".It Cm "+dhcp4.Kind(kind).String()+" ")
	}
	for _, w := range want {
		if !strings.Contains(text, w) && !strings.Contains(text, strings.Replace(w, "Cm ", "Cm per ", 1)) && !withOthers(text, w) {
			t.Errorf("dhcp.conf(5) has no %q", w)
		}
	}
}

// withOthers tells whether a word is one of several behind one Cm.
func withOthers(text, w string) bool {
	word, ok := strings.CutPrefix(w, "Cm ")
	return ok && regexp.MustCompile(`Cm [a-z| ]*\b`+word+`\b`).MatchString(text)
}

// TestP1_ManPageHasAllProblems: what Problems may say, and by -n, is explained.
func TestP1_ManPageHasAllProblems(t *testing.T) {
	_, section, _ := strings.Cut(manPage(t), ".Sh DIAGNOSTICS")
	files, _ := filepath.Glob("*.go")
	says := regexp.MustCompile(`\b(?:problem|once|say|sayOf|edge)\([^"\n]*"([^"]+)"`)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range says.FindAllStringSubmatch(string(source), -1) {
			found++
			if what := strings.Trim(m[1], " '"); !strings.Contains(section, what) {
				t.Errorf("%s: dhcp.conf(5) does not explain %q", name, what)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d found", found)
	}
}
