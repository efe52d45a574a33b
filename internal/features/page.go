package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// page returns FEATURES.md: each feature with the folders that have tests of
// it. It is read off the names of the tests below root, so that it can be
// compared with what stands there.
func page(root string) (string, error) {
	rooms := map[string][]string{} // by id
	err := eachTest(root, func(dir, test string) {
		for _, id := range idsOf(test) {
			if !slices.Contains(rooms[id], dir) {
				rooms[id] = append(rooms[id], dir)
			}
		}
	})
	var b strings.Builder
	b.WriteString("# What dhcpd promises\n\n" +
		"Each line is a feature, with the folders that have tests of it. A test bears\n" +
		"the id in its name, as TestS7_DeclineAbandons does. `make features` runs all\n" +
		"of them and lists each id with the tests that passed.\n\n" +
		"| id | feature | tested in |\n|---|---|---|\n")
	for _, f := range features() {
		dirs := rooms[f.id]
		slices.Sort(dirs)
		where := strings.Join(dirs, ", ")
		if where == "" {
			where = "none yet"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.id, f.title, where)
	}
	return b.String(), err
}

// eachTest calls do with each test and fuzz target below root, and the folder
// that it is in.
func eachTest(root string, do func(dir, name string)) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				do(dir, fn.Name.Name)
			}
		}
		return err
	})
}
