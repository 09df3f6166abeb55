package lambdatest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// ErrNotHere says why a machine can't run the functions.
var ErrNotHere = errors.New("can't run the functions here")

// Build makes one function by the Makefile's own target, as sam build does, and
// returns the path of its bootstrap. logical is the function's name in the template
// and arch GOARCH; the folder is made.
func Build(dir, logical, arch string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, logical)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("make", "-s", "build-"+logical, "ARTIFACTS_DIR="+out, "ARCH="+arch)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build-%s: %w\n%s", logical, err, bytes.TrimSpace(text))
	}
	return filepath.Join(out, "bootstrap"), nil
}

// BuildHere is Build for this machine. Where it can't run a bootstrap the error is
// ErrNotHere and says why.
func BuildHere(dir, logical string) (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("%w: bootstraps are Linux programs, and this is %s", ErrNotHere, runtime.GOOS)
	}
	if _, err := exec.LookPath("make"); err != nil {
		return "", fmt.Errorf("%w: there is no make", ErrNotHere)
	}
	return Build(dir, logical, runtime.GOARCH)
}

// repository finds the folder of go.mod above the working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}
