package awstest

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// errAbsent means that a server is not installed.
var errAbsent = errors.New("is not installed")

var (
	moto = sync.OnceValues(func() (*Env, error) {
		env, _, err := startMoto()
		return env, err
	})
	local = sync.OnceValues(startLocal)
)

// Start returns moto's services. It skips the test, saying so, when moto is not
// installed, unless CI=true, where it has to be.
func Start(t testing.TB) *Env {
	t.Helper()
	env, err := moto()
	require(t, err)
	return env
}

// Own is Start with a server for this test alone, which ends with it: one server
// uses one core, and slows down all who share it.
func Own(t testing.TB) *Env {
	t.Helper()
	env, pipe, err := startMoto()
	require(t, err)
	t.Cleanup(func() {
		if err := pipe.Close(); err != nil {
			t.Errorf("moto: end it: %v", err)
		}
	})
	return env
}

func require(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errAbsent) && os.Getenv("CI") != "true" {
		t.Skip("skipped: moto is not installed; make test-aws installs it")
	}
	if err != nil {
		t.Fatalf("moto: %v: make test-aws installs it into .venv", err)
	}
}

// LocalVar names the environment variable that holds the folder of DynamoDB
// Local's jars; without it, .dynamodb-local in the repository is looked into.
const LocalVar = "SHELFLIFE_DYNAMODB_LOCAL"

// DynamoDBLocal returns Amazon's own DynamoDB for tests, which serves nothing
// else. It skips the test, saying so, when it is not installed.
func DynamoDBLocal(t testing.TB) *Env {
	t.Helper()
	env, err := local()
	if errors.Is(err, errAbsent) && os.Getenv(LocalVar) == "" {
		t.Skip("skipped: DynamoDB Local is not installed; make dynamodb-local fetches it where Maven is")
	}
	if err != nil {
		t.Fatalf("DynamoDB Local: %v", err)
	}
	return env
}

// motoScript is run instead of moto_server: see there.
//
//go:embed serve_moto.py
var motoScript string

// startMoto returns the pipe with which the server ends, too.
func startMoto() (*Env, io.Closer, error) {
	python, err := findPython()
	if err != nil {
		return nil, nil, err
	}
	base, pipe, err := leashed(python, func(port string) []string { return []string{"-c", motoScript, "-H", "127.0.0.1", "-p", port} })
	if err != nil {
		return nil, nil, err
	}
	return newEnv("moto", base), pipe, nil
}

// findPython finds the interpreter that moto is installed for: that of .venv, or
// that beside the moto_server in PATH.
func findPython() (string, error) {
	var dirs []string
	if root, err := repository(); err == nil {
		dirs = append(dirs, filepath.Join(root, ".venv", "bin"))
	}
	if p, err := exec.LookPath("moto_server"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, dir := range dirs {
		python := filepath.Join(dir, "python3")
		if _, err := exec.LookPath(python); err == nil && isFile(filepath.Join(dir, "moto_server")) {
			return python, nil
		}
	}
	return "", fmt.Errorf("moto_server with a python3 beside it %w", errAbsent)
}

func startLocal() (*Env, error) {
	dir := os.Getenv(LocalVar)
	if dir == "" {
		root, err := repository()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(root, ".dynamodb-local")
	}
	if jars, err := filepath.Glob(filepath.Join(dir, "DynamoDBLocal-*.jar")); err != nil || len(jars) == 0 {
		return nil, fmt.Errorf("no DynamoDBLocal-*.jar in %s: it %w", dir, errAbsent)
	}
	if runtime.GOOS == "linux" && runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("its native library is for other processors than %s: it %w", runtime.GOARCH, errAbsent)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("java %w", errAbsent)
	}
	base, err := run(java, func(port string) []string {
		return []string{
			"-Xmx256m", "-Djava.library.path=" + dir, "-cp", filepath.Join(dir, "*"),
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port,
		}
	})
	if err != nil {
		return nil, err
	}
	return newEnv("dynamodb-local", base), nil
}

// repository finds the folder of go.mod above the test's own.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if isFile(filepath.Join(at, "go.mod")) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod above %s", dir)
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
