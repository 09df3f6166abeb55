package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// The test binary runs itself as another process with these in its environment.
const (
	childState = "SHELFLIFE_TEST_STATE"
	childRun   = "SHELFLIFE_TEST_RUN"
)

// TestMain plays the other process when asked to.
func TestMain(m *testing.M) {
	if path := os.Getenv(childState); path != "" {
		if err := child(path, os.Getenv(childRun)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child begins and finishes deletions until the budget of the day is spent. It
// prints the plan key first, and then each intent once Begin has returned.
func child(path, id string) error {
	db, err := Open(path)
	if err != nil {
		return err
	}
	key, err := db.Key(context.Background())
	if err != nil {
		return err
	}
	fmt.Printf("%x\n", key)
	l := ledger.New(db, func() time.Time { return day(9) })
	run := retention.Run{ID: id, Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, StartedAt: day(9)}
	if _, err := l.Start(context.Background(), run); err != nil {
		return err
	}
	for v := retention.ID(1); ; v++ {
		g, err := l.Begin(context.Background(), run, childLimits(), []ledger.Intent{{
			Run: run.ID, Owner: "acme", PackageType: retention.NPM, Package: "left-pad", VersionID: v,
			Action: retention.Delete, Target: retention.TargetVersion, Cost: 1,
		}})
		if budget := (*ledger.BudgetError)(nil); errors.As(err, &budget) {
			return db.Close()
		}
		if err != nil {
			return err
		}
		fmt.Println(g.New[0].ID)
		if err := l.Finish(context.Background(), g.New[0], ledger.Result{Outcome: retention.OutcomeDone}); err != nil {
			return err
		}
	}
}

func childLimits() retention.Limits {
	n, err := strconv.Atoi(os.Getenv("SHELFLIFE_TEST_LIMIT"))
	if err != nil {
		return retention.Limits{}
	}
	return retention.Limits{DeletesPerRun: n, DeletesPerDay: n}
}

func childCommand(t *testing.T, path, run string, limit int) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childState+"="+path, childRun+"="+run, fmt.Sprintf("SHELFLIFE_TEST_LIMIT=%d", limit))
	return cmd
}

func TestProcessesShareANewFileAndItsBudget(t *testing.T) {
	const processes, limit = 4, 60
	path := filepath.Join(t.TempDir(), "state", "shelflife.db")
	out := make([]bytes.Buffer, processes)
	var wg sync.WaitGroup
	for i := range processes {
		cmd := childCommand(t, path, fmt.Sprintf("run-%d", i), limit)
		cmd.Stdout, cmd.Stderr = &out[i], &out[i]
		wg.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, &out[i])
			}
		})
	}
	wg.Wait()
	db := openAt(t, path)
	key, err := db.Key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	for i := range out {
		lines := strings.Fields(out[i].String())
		if len(lines) == 0 || lines[0] != fmt.Sprintf("%x", key) {
			t.Errorf("process %d has another key", i)
		}
		begun += len(lines) - 1
	}
	v, err := ledger.New(db, func() time.Time { return day(9) }).Verify(t.Context(), "acme")
	if err != nil || begun != limit || v.Actions != limit || v.Open != 0 {
		t.Errorf("%d begun, %+v, %v; want %d, none open", begun, v, err, limit)
	}
}

func TestAKilledProcessLosesNothingItWasPromised(t *testing.T) {
	for kill := 1; kill <= 9; kill += 4 {
		path := filepath.Join(t.TempDir(), "shelflife.db")
		cmd := childCommand(t, path, "run", 1<<20)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		var promised []string
		for lines.Scan() {
			promised = append(promised, lines.Text())
			if len(promised) == kill+1 { // the first line is the key
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := lines.Err(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}
		db := openAt(t, path)
		l := ledger.New(db, func() time.Time { return day(9) })
		v, err := l.Verify(t.Context(), "acme")
		if err != nil || v.Open > 1 {
			t.Errorf("%+v, %v; want a whole chain with at most one open intent", v, err)
		}
		kept, err := db.Lookup(t.Context(), "acme", "run", promised[1:])
		if err != nil || len(kept) != len(promised)-1 {
			t.Errorf("%d of %d promised intents are there, %v", len(kept), len(promised)-1, err)
		}
		if used, err := l.Used(t.Context(), "acme", "run"); err != nil || used.Run != v.Actions {
			t.Errorf("used %+v, %v; want %d", used, err, v.Actions)
		}
	}
}

func TestKeyIsMadeOnceForItsOwnerOnly(t *testing.T) {
	db := openNew(t)
	first, err := db.Key(t.Context())
	if err != nil || len(first) != keySize || bytes.Equal(first, make([]byte, keySize)) {
		t.Fatalf("%x, %v", first, err)
	}
	second, err := openAt(t, db.Path()).Key(t.Context())
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%x, %v; want %x", second, err, first)
	}
	path := filepath.Join(filepath.Dir(db.Path()), keyName)
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 1 {
		t.Errorf("files %v, %v; want the key alone", left, err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Key(t.Context()); err == nil || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("a short key: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Key(t.Context()); err == nil || !strings.Contains(err.Error(), "read by others") {
		t.Errorf("a key for all to read: %v", err)
	}
}

func TestAClosedStoreFails(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	ref := retention.PackageRef{Owner: "acme", Type: retention.NPM, Name: "left-pad"}
	for name, call := range map[string]func() error{
		"owners":       func() error { _, err := db.Owners(ctx); return err },
		"head":         func() error { _, err := db.Head(ctx, "acme"); return err },
		"records":      func() error { _, err := db.Records(ctx, "acme", 0, 1); return err },
		"counter":      func() error { _, err := db.Counter(ctx, "acme", "x"); return err },
		"counters":     func() error { _, err := db.Counters(ctx, "acme"); return err },
		"commit":       func() error { return db.Commit(ctx, ledger.Batch{Owner: "acme", Records: []ledger.Record{{Seq: 1}}}) },
		"run":          func() error { _, _, err := db.Run(ctx, "acme", "p1"); return err },
		"runs":         func() error { _, err := db.Runs(ctx, "acme", 0); return err },
		"lookup":       func() error { _, err := db.Lookup(ctx, "acme", "p1", []string{"x"}); return err },
		"snapshot":     func() error { _, _, err := db.Snapshot(ctx, ref); return err },
		"save":         func() error { return db.SaveSnapshot(ctx, inventory("x")) },
		"drop":         func() error { return db.DropSnapshot(ctx, ref) },
		"manifest":     func() error { _, _, err := db.Manifest(ctx, digest(1)); return err },
		"put manifest": func() error { return db.PutManifest(ctx, digest(1), nil) },
		"decisions":    func() error { return db.SaveDecisions(ctx, "p1", []decisions.Row{{}}) },
		"query":        func() error { _, err := db.Query(ctx, `SELECT 1`); return err },
		"key":          func() error { _, err := db.Key(ctx); return err },
		"snapshots": func() error {
			for _, err := range db.Snapshots(ctx, "acme") {
				return err
			}
			return nil
		},
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
