// Command lambdaconfig puts a configuration beside a Lambda function's bootstrap,
// with the policies and data that it names, so that the function finds them where
// the file says. A configuration that the function would refuse fails the build.
//
//	go run ./scripts/lambdaconfig shelflife.yaml DIRECTORY
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/config"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: lambdaconfig CONFIG DIRECTORY")
		os.Exit(2)
	}
	if err := place(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// place copies the file and what it names. Nobody's environment matters here.
func place(file, to string) error {
	cfg, err := config.Load(file, func(string) string { return "" })
	if err != nil {
		return err
	}
	if len(cfg.Owners) == 0 {
		return fmt.Errorf("%s names no owner, so there is nothing to do; add owners", file)
	}
	if err := copyFile(file, filepath.Join(to, config.DefaultFile)); err != nil {
		return err
	}
	for _, path := range []string{cfg.Policies.Path, cfg.Policies.Data, cfg.Policies.Bundle, cfg.Policies.VerificationKey} {
		if path == "" || strings.Contains(path, "://") || strings.HasPrefix(path, "arn:") {
			continue
		}
		rel, err := filepath.Rel(filepath.Dir(file), path)
		if err != nil || !filepath.IsLocal(rel) || rel == "." {
			return fmt.Errorf("%s: %s is not below the folder of the file; a function has nothing else: move it there", file, path)
		}
		if err := copyTree(path, filepath.Join(to, rel)); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a file, or a folder without its hidden files and tests.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != from && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || strings.HasSuffix(d.Name(), ".go") {
			return nil
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	// WriteFile leaves the mode of a file that is there already.
	if err = errors.Join(err, os.Chmod(to, 0o644)); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}
