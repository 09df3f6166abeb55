package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// readOrMakeToken reads the token of a file that only its owner can read, and
// makes one where there is none.
func readOrMakeToken(path string) (secret.Secret, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		token := rand.Text() + rand.Text()
		_, err = f.WriteString(token + "\n")
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return secret.Secret{}, errors.Join(fmt.Errorf("the dashboard's token: %w", err), os.Remove(path))
		}
		return secret.New(token), nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return secret.Secret{}, fmt.Errorf("the dashboard's token: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("the dashboard's token: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return secret.Secret{}, usagef("%s can be read by others (mode %04o): remove it, and the next start makes a new one", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("the dashboard's token: %w", err)
	}
	return secret.New(strings.TrimSpace(string(b))), nil
}

// sweepOf reads where an owner's sweep stands.
func (s *server) sweepOf(ctx context.Context, login string) (state sweep.State, ok bool, err error) {
	b, ok, err := s.db.LoadSweep(ctx, login)
	if err != nil || !ok {
		return state, false, err
	}
	if err := json.Unmarshal(b, &state); err != nil {
		return state, false, fmt.Errorf("read the sweep of %s: %w", login, err)
	}
	return state, true, nil
}

// boardPause is the switch beside the state file.
type boardPause struct{ s *server }

// Paused looks at the switch.
func (b boardPause) Paused(ctx context.Context) (bool, string) {
	return pauseSwitch{path: b.s.pauseFile(), env: b.s.getenv}.Paused(ctx)
}

// Pause turns the switch on, with the reason in it. A switch that is on stays as
// it is.
func (b boardPause) Pause(ctx context.Context, reason string) error {
	if on, _ := b.Paused(ctx); on {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(b.s.pauseFile()), pauseName+".*")
	if err != nil {
		return fmt.Errorf("write the file %s: %w", pauseName, err)
	}
	_, err = f.WriteString(reason + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), b.s.pauseFile()) // whole, or not there
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the file %s: %w", pauseName, err), os.Remove(f.Name()))
	}
	b.s.noteAll(ctx, "paused from the dashboard: "+reason)
	return nil
}

// Resume turns the switch off.
func (b boardPause) Resume(ctx context.Context) error {
	if err := os.Remove(b.s.pauseFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the file %s: %w", pauseName, err)
	}
	if on, why := b.Paused(ctx); on {
		return fmt.Errorf("%s: take it out of the server's environment and start the server again", why)
	}
	b.s.noteAll(ctx, "resumed from the dashboard")
	return nil
}

// noteAll writes a remark into every owner's ledger. The switch does its work
// also where the ledger can't be written; the log says so then.
func (s *server) noteAll(ctx context.Context, text string) {
	for _, o := range s.cfg.Owners {
		if err := s.ledger.Note(ctx, o.Login, "", text); err != nil {
			s.log.ErrorContext(ctx, "the remark is not in the ledger", "owner", o.Login, "remark", text, "error", err.Error())
		}
	}
}

// boardUndo undoes runs as the command undo does: plan, guard, ledger.
type boardUndo struct {
	s    *server
	stop <-chan struct{}
}

// PlanUndo plans the undo of a run whose owners are all configured.
func (b boardUndo) PlanUndo(ctx context.Context, run string) (guard.Plan, error) {
	runs, err := b.s.ledger.Run(ctx, run)
	if err != nil {
		return guard.Plan{}, err
	}
	var owners []string
	for _, r := range runs {
		owners = append(owners, r.Owner)
	}
	if len(owners) == 0 {
		return guard.Plan{}, fmt.Errorf("run %s: %w", run, enforce.ErrNoRun)
	}
	targets, err := b.targets(ctx, owners)
	if err != nil {
		return guard.Plan{}, err
	}
	release, err := b.s.engine.Hold(ctx, owners...)
	if err != nil {
		return guard.Plan{}, err
	}
	defer release()
	return b.enforcer().PlanUndo(ctx, run, targets)
}

// Undo carries the plan out, with nothing else at work on its owners: a sweep that
// read a package half restored would see children that nothing needs. What is at hand when the server stops is finished,
// and the rest left.
func (b boardUndo) Undo(ctx context.Context, plan guard.Plan) error {
	targets, err := b.targets(ctx, logins(plan))
	if err != nil {
		return err
	}
	release, err := b.s.engine.Hold(ctx, logins(plan)...)
	if err != nil {
		return err
	}
	defer release()
	end, err := b.s.hold(ctx, plan)
	if err != nil {
		return err
	}
	defer end()
	res, err := b.enforcer().Apply(ctx, enforce.ApplyRequest{Plan: plan, Targets: targets, Bundle: plan.Bundle(), Stop: b.stopped})
	if err != nil {
		return err
	}
	if res.StoppedBy != nil {
		return errors.New(sayWait(res.StoppedBy))
	}
	return nil
}

func (b boardUndo) stopped(context.Context) error {
	select {
	case <-b.stop:
		return errors.New("the server stops")
	default:
		return nil
	}
}

func (b boardUndo) targets(ctx context.Context, owners []string) ([]enforce.Target, error) {
	b.s.dialing.Lock()
	defer b.s.dialing.Unlock()
	return b.s.targets(ctx, owners)
}

func (b boardUndo) enforcer() *enforce.Enforcer {
	e := b.s.enforcer()
	e.Actor, e.Progress = "dashboard", noProgress{}
	return e
}

// noProgress keeps bars out of the log.
type noProgress struct{}

// Start hears of work.
func (noProgress) Start(string, int) {}

// Add hears of progress.
func (noProgress) Add(int) {}

// Done hears of the end.
func (noProgress) Done() {}
