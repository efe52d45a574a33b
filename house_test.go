// Package house holds the house in order: which room may call which, what a
// pure room may not touch, how long a function may be.
package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A room is what a package may import apart from the standard library: other
// rooms, by name, and modules, by path.
type room struct {
	path    string
	pure    bool
	imports string
}

const (
	xsys = "golang.org/x/sys/unix"
	raw  = "github.com/mdlayher/raw golang.org/x/net/bpf"
)

// house lists the rooms from the top down: a room only imports rooms below.
var house = []room{
	{"cmd/dhcpd", false, "daemon bootargs conf pool cache link dns hook ask dhcp4 ether safe"},
	{"internal/bench", false, "server pool act conf dhcp4 link netlab " + xsys},
	{"internal/demo", false, "netlab"},
	{"internal/features", false, ""},
	{"internal/peertest", false, ""},
	{"internal/soak", false, "netlab dhcp4 ether"},
	{"internal/daemon", false, "client server relay pool cache act conf dhcp4 ether rdisc auth link lock dns hook safe " + xsys},
	{"server", true, "act conf pool dhcp4 auth"},
	{"relay", true, "act ask pool dhcp4"},
	{"client", true, "act dhcp4 auth"},
	{"internal/act", true, "dhcp4 pool"},
	{"internal/ask", true, "pool dhcp4"},
	{"internal/bootargs", true, "dhcp4 netip"},
	{"internal/hook", false, "dhcp4"},
	{"internal/conf", true, "dhcp4 safe"},
	{"cache", false, "dhcp4 safe"},
	{"internal/auth", true, "dhcp4"},
	{"internal/link", false, "ether safe " + xsys + " " + raw},
	{"internal/lock", false, "safe " + xsys},
	{"internal/dns", false, "dhcp4 safe " + xsys},
	{"internal/rdisc", true, "ether"},
	{"pool", false, "safe"},
	{"internal/simdisk", false, "safe"},
	{"internal/dhcp4", true, ""},
	{"internal/ether", true, ""},
	{"internal/safe", false, xsys},
	{"internal/netlab", false, xsys},
	{"internal/netip", true, ""},
	{"internal/ascii", true, ""},
}

// basement lists the rooms that all others may call: they stand for packages
// of the standard library.
const basement = "internal/netip internal/ascii"

// The pure room conf reads files, in one file of its own; the pool is a pure
// table and a journal, in files of their own.
var (
	mayRead  = []string{"internal/conf/load.go"}
	alsoPure = []string{"pool/table*.go", "pool/record*.go"}
)

func roomOf(path string) (room, bool) {
	i := slices.IndexFunc(house, func(r room) bool { return r.path == path })
	if i < 0 {
		return room{}, false
	}
	return house[i], true
}

// listed is what the test needs of go list -json.
type listed struct {
	ImportPath string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) (list []listed) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "dhcpd"), "/")
		list = append(list, p)
	}
}

func TestHouse_Arrows(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == "" {
			continue // this test
		}
		r, ok := roomOf(p.ImportPath)
		if !ok {
			t.Errorf("%s: no such room in the house", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !allowed(r, imp) {
				t.Errorf("%s must not import %s", p.ImportPath, imp)
			}
		}
	}
}

// allowed tells whether a room may import a package.
func allowed(r room, imp string) bool {
	inside, ours := strings.CutPrefix(imp, "dhcpd/")
	if slices.Contains(strings.Fields(basement), inside) {
		return true
	}
	if !ours && !strings.Contains(imp, ".") {
		return true // the standard library
	}
	if !ours {
		return slices.Contains(strings.Fields(r.imports), imp)
	}
	return slices.Contains(strings.Fields(r.imports), filepath.Base(inside))
}

// TestHouse_Downward shows that the list itself has arrows that only go down.
func TestHouse_Downward(t *testing.T) {
	for i, r := range house {
		for _, name := range strings.Fields(r.imports) {
			below := slices.ContainsFunc(house[i+1:], func(b room) bool { return filepath.Base(b.path) == name })
			if !below && !strings.Contains(name, ".") {
				t.Errorf("%s imports %s, which is not below it", r.path, name)
			}
		}
	}
}

// isPure tells whether a file belongs to a room where time and randomness
// are arguments and nothing is read or written.
func isPure(path string) bool {
	if strings.HasSuffix(path, "_test.go") || slices.Contains(mayRead, path) {
		return false
	}
	for _, pattern := range alsoPure {
		if ok, _ := filepath.Match(pattern, path); ok {
			return true
		}
	}
	r, ok := roomOf(filepath.Dir(path))
	return ok && r.pure
}

var (
	impure = strings.Fields("os os/signal os/exec net syscall log log/slog sync sync/atomic context " +
		"math/rand math/rand/v2 crypto/rand " + xsys)
	clocks = strings.Fields("Now Since Until After AfterFunc Sleep Tick NewTimer NewTicker")
)

func TestHouse_PureRooms(t *testing.T) {
	looked := 0
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File, _ []byte) {
		if !isPure(path) {
			return
		}
		looked++
		timeName := ""
		for _, imp := range f.Imports {
			name := strings.Trim(imp.Path.Value, `"`)
			if slices.Contains(impure, name) {
				t.Errorf("%s: a pure room must not import %s", path, name)
			}
			if name == "time" {
				timeName = "time"
				if imp.Name != nil {
					timeName = imp.Name.Name
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(clocks, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == timeName && id.Obj == nil {
				t.Errorf("%s: a pure room must not call time.%s", fset.Position(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	})
	if looked < 10 {
		t.Errorf("looked at %d files of pure rooms only", looked)
	}
}

// The measures of the house.
const (
	longest = 60  // lines of a function, flat tables and switches apart
	most    = 400 // lines of a file
	branch  = 10  // lines of a case in a switch that counts as flat
)

func TestHouse_Measures(t *testing.T) {
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File, text []byte) {
		if want, err := format.Source(text); err != nil || !bytes.Equal(want, text) {
			t.Errorf("%s: not as gofmt would have it", path)
		}
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		if n := bytes.Count(text, []byte("\n")); n > most && !isTable(fset, f, n) {
			t.Errorf("%s: %d lines, want at most %d", path, n, most)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := lines(fset, fn) - flatLines(fset, fn.Body.List); n > longest {
				t.Errorf("%s: %s has %d lines, want at most %d", fset.Position(fn.Pos()), fn.Name.Name, n, longest)
			}
		}
	})
}

func lines(fset *token.FileSet, n ast.Node) int {
	return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
}

// isTable tells whether a file is mostly declarations of data.
func isTable(fset *token.FileSet, f *ast.File, total int) bool {
	data := 0
	for _, decl := range f.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok != token.IMPORT {
			data += lines(fset, gen)
		}
	}
	return data > total*3/4
}

// flatLines counts the lines of a function's own statements that are a flat
// switch, with short cases, or a table of literals.
func flatLines(fset *token.FileSet, list []ast.Stmt) (n int) {
	for _, s := range list {
		if isFlat(fset, s) {
			n += lines(fset, s)
		}
	}
	return n
}

func isFlat(fset *token.FileSet, s ast.Stmt) bool {
	var body *ast.BlockStmt
	switch s := s.(type) {
	case *ast.SwitchStmt:
		body = s.Body
	case *ast.TypeSwitchStmt:
		body = s.Body
	case *ast.ReturnStmt:
		return len(s.Results) == 1 && isLiteral(s.Results[0])
	case *ast.AssignStmt:
		return len(s.Rhs) == 1 && isLiteral(s.Rhs[0])
	case *ast.RangeStmt:
		return isLiteral(s.X) && lines(fset, s.Body) <= branch
	default:
		return false
	}
	return !slices.ContainsFunc(body.List, func(c ast.Stmt) bool { return lines(fset, c) > branch })
}

func isLiteral(e ast.Expr) bool {
	_, ok := e.(*ast.CompositeLit)
	return ok
}

// eachFile parses every Go file of the house.
func eachFile(t *testing.T, f func(path string, fset *token.FileSet, file *ast.File, text []byte)) {
	t.Helper()
	count := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, 0)
		if err != nil {
			return err
		}
		count++
		f(path, fset, file, text)
		return nil
	})
	if err != nil || count < 10 {
		t.Fatalf("%d files, %v", count, err)
	}
}

// TestHouse_LeftOut: parts of the standard library that are large, and get into
// the program by one careless call, are not there: package fmt, reflection, the
// formatting of times. Beware of the generic functions of package slices, of
// time.NewTimer and of time.After: they describe the type of what they handle to
// the runtime, and if there is a time.Time in it, keep its String method.
func TestHouse_LeftOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dhcpd")
	build(t, file, "./cmd/dhcpd")
	symbols, err := exec.Command("go", "tool", "nm", file).Output()
	if err != nil || !bytes.Contains(symbols, []byte(" runtime.main\n")) {
		t.Fatalf("no symbols: %v", err)
	}
	leftOut := []string{"fmt.Sprintf", "fmt.Fprintf", "reflect.Value.Method", "time.Time.appendFormat",
		"encoding/hex.Decode", "os.ReadFile", "net.(*UDPConn).Read", "net/netip.init", "unique.Make", "errors.As",
		"golang.org/x/sys/unix.anyToSockaddr", "slices.pdqsortOrdered", "time.ParseDuration", "time.initLocal", "maps.clone", "strconv.(*NumError).Error", "strings.ToLower", "strings.EqualFold", "strings.Fields",
		"internal/filepathlite.Clean"}
	if standIns() {
		leftOut = append(leftOut, "internal/godebug.update", "internal/strconv.genericFtoa", "internal/strconv.pow10Tab",
			"internal/runtime/cgroup.FindCPU")
	}
	for _, not := range leftOut {
		if bytes.Contains(symbols, []byte(" "+not+"\n")) || bytes.Contains(symbols, []byte(" "+not+"[")) {
			t.Errorf("%s is in the program", not)
		}
	}
}

// standIns tells whether the product is built with stand-ins for parts of the
// standard library, see .ci/overlay.json.
func standIns() bool { return strings.HasPrefix(runtime.Version(), "go1.26") }

// build builds a program much as make does.
func build(t *testing.T, file, what string) {
	t.Helper()
	args := []string{"build", "-gcflags=all=-l", "-o", file}
	if standIns() {
		if out, err := exec.Command("make", "-s", "build/overlay.json").CombinedOutput(); err != nil {
			t.Fatalf("make build/overlay.json: %v\n%s", err, out)
		}
		args = append(args, "-overlay=build/overlay.json")
	}
	cmd := exec.Command("go", append(args, what)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestHouse_Fractions: with stand-ins the runtime prints floating-point numbers
// as mantissa and exponent, exactly, and in the room that it has for them.
func TestHouse_Fractions(t *testing.T) {
	if !standIns() {
		return
	}
	source, want := "package main\n\nimport \"math\"\n\nfunc main() {\n", []float64{}
	for _, f := range []float64{0, 1, -1, 0.1, 1e300, -math.MaxFloat64, 5e-324, -2e-310,
		math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32, math.SmallestNonzeroFloat32, -1.5e-40} {
		source += fmt.Sprintf("\tprintln(math.Float64frombits(%#x))\n", math.Float64bits(f))
		source += fmt.Sprintf("\tprintln(math.Float32frombits(%#x))\n", math.Float32bits(float32(f)))
		want = append(want, f, float64(float32(f)))
	}
	file := filepath.Join(t.TempDir(), "main")
	if err := os.WriteFile(file+".go", []byte(source+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build(t, file, file+".go")
	out, err := exec.Command(file).CombinedOutput()
	lines := strings.Fields(string(out))
	if err != nil || len(lines) != len(want) {
		t.Fatalf("%v, %d lines, want %d:\n%s", err, len(lines), len(want), out)
	}
	for i, line := range lines {
		mant, exp, _ := strings.Cut(line, "p")
		n, _ := strconv.Atoi(exp)
		f, err := strconv.ParseFloat(mant, 64)
		if f = math.Ldexp(f, n); err != nil || f != want[i] && !(f != f && want[i] != want[i]) || len(line) > []int{24, 15}[i%2] {
			t.Errorf("%s, want %b", line, want[i])
		}
	}
}
