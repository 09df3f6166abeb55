package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// planFlags say what to plan.
type planFlags struct {
	out      string
	asOf     string
	offline  bool
	packages string
	mode     string
	detailed bool
	full     bool
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan [OWNER…]",
		Short: "Read packages, ask the policies, and show what would be done",
		Long: `Read the packages of the named owners (or of all configured ones), ask the
policies, apply the guards, and show what would be done and why. Nothing is
written to GitHub.

--out saves the plan for apply, which does exactly its items. Without a
configuration the mode is observe, and a plan made in observe mode has nothing
to apply: say --mode enforce when you want to.`,
		Example: `  GITHUB_TOKEN=… shelflife plan acme
  shelflife plan acme --mode enforce --out plan.json
  shelflife plan --packages 'team/**' --format markdown
  shelflife plan acme --as-of 2027-01-01        what would go by then
  shelflife plan acme --offline                 from the last snapshot, without a call`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(args...)
			if err != nil {
				return err
			}
			defer s.close()
			return s.doPlan(c.Context(), args, f)
		},
	}
	c.Flags().StringVarP(&f.out, "out", "o", "", "save the plan to a file, for apply")
	c.Flags().StringVar(&f.asOf, "as-of", "", "decide as if it were this time (2027-01-01 or RFC 3339); such a plan can't be applied")
	c.Flags().BoolVar(&f.offline, "offline", false, "decide from the last snapshot; such a plan can't be applied")
	f.selection(c)
	c.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 3 when the plan has actions")
	return c
}

// selection adds the flags that plan and run share.
func (f *planFlags) selection(c *cobra.Command) {
	c.Flags().StringVar(&f.packages, "packages", "", "only packages whose full name matches this glob")
	c.Flags().BoolVar(&f.full, "full", false, "read every package, whatever the snapshots say of it")
	c.Flags().StringVar(&f.mode, "mode", "", "observe or enforce, in place of the configured mode")
}

func (s *session) doPlan(ctx context.Context, owners []string, f planFlags) error {
	plan, _, _, err := s.makePlan(ctx, owners, f)
	if err != nil {
		return err
	}
	sealed, err := s.seal(ctx, plan)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := writeFile(s.place(f.out), sealed); err != nil {
			return err
		}
	}
	if err := s.show(planView(plan, json.RawMessage(bytes.TrimSpace(sealed)))); err != nil {
		return err
	}
	s.planNotes(plan, f)
	if err := unread(plan); err != nil {
		return err
	}
	if f.detailed && plan.Summary().Delete+plan.Summary().Restore > 0 {
		return silent(exitActions)
	}
	return nil
}

// unread is the end of a plan that does not know everything: it stops at lost
// access, fails where nothing of an owner could be read, and is partly done
// where something is missing. The plan itself says what and why.
func unread(p guard.Plan) error {
	code := exitDone
	for _, x := range p.Problems() {
		switch {
		case x.Kind == retention.ProblemLostAccess:
			return silent(exitHeld)
		case x.Kind != retention.ProblemVanished:
			code = exitPartly
		}
	}
	for _, o := range p.Owners() {
		ofOwner := func(x retention.Problem) bool { return retention.SameLogin(x.Owner, o.Login) && x.Package == "" }
		if o.Packages == 0 && slices.ContainsFunc(p.Problems(), ofOwner) {
			return fmt.Errorf("nothing of %s could be read: do what is said above, or ask shelflife doctor %[1]s", o.Login)
		}
	}
	return silent(code)
}

// planNotes says what the plan means for the next step.
func (s *session) planNotes(p guard.Plan, f planFlags) {
	sum := p.Summary()
	switch {
	case p.Mode() == retention.Observe && sum.Observed+sum.Held > 0:
		s.note("mode is observe: nothing of this would be done; plan with --mode enforce to get a plan that can be applied")
	case f.out != "" && p.Moved():
		s.note("saved to %s, for looking only: plan without --as-of and --offline to apply", f.out)
	case f.out != "":
		s.note("saved to %s; shelflife apply %[1]s does exactly this, until %s", f.out, p.ExpiresAt().Format(time.RFC3339))
	}
	if alarmed(p) && p.Mode() == retention.Enforce {
		s.note("some deletes are held; read why above. What a percentage holds, a person releases by applying the saved plan")
	}
}

func (s *session) seal(ctx context.Context, plan guard.Plan) ([]byte, error) {
	sealer, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Seal(ctx, sealer)
}

// makePlan plans the owners and keeps what was seen and decided in the state file.
func (s *session) makePlan(ctx context.Context, owners []string, f planFlags) (guard.Plan, []enforce.Target, *policy.Engine, error) {
	fail := func(err error) (guard.Plan, []enforce.Target, *policy.Engine, error) {
		return guard.Plan{}, nil, nil, err
	}
	asOf, err := parseTime(f.asOf)
	if err != nil {
		return fail(usage(err))
	}
	match, err := matchGlob(f.packages)
	if err != nil {
		return fail(err)
	}
	engine, err := s.policies(ctx) // before anything is asked of GitHub
	if err != nil {
		return fail(err)
	}
	req := enforce.PlanRequest{
		Judge: engine, Bundle: bundleOf(engine), Trigger: retention.Trigger{Kind: retention.TriggerCLI},
		AsOf: asOf, Match: match, Full: f.full,
	}
	if f.offline {
		req.Offline = s.db
		req.Targets, err = s.offlineTargets(ctx, owners)
	} else {
		req.Targets, err = s.targets(ctx, owners)
	}
	if err != nil {
		return fail(err)
	}
	if err := setMode(req.Targets, f.mode); err != nil {
		return fail(err)
	}
	plan, err := s.enforcer().Plan(ctx, req)
	if err != nil {
		return fail(err)
	}
	if err := s.logDecisions(ctx, plan); err != nil {
		return fail(err)
	}
	return plan, req.Targets, engine, nil
}

func setMode(targets []enforce.Target, word string) error {
	if word == "" {
		return nil
	}
	mode, err := retention.ParseMode(word)
	if err != nil {
		return usagef("--mode %q: use observe or enforce", word)
	}
	for i := range targets {
		targets[i].Mode = mode
	}
	return nil
}

// offlineTargets are owners as the snapshots know them; nothing can be read or
// written through them.
func (s *session) offlineTargets(ctx context.Context, named []string) ([]enforce.Target, error) {
	owners, err := s.owners(named)
	if err != nil {
		return nil, err
	}
	var out []enforce.Target
	for _, o := range owners {
		if err := s.hasSnapshot(ctx, o.Login); err != nil {
			return nil, err
		}
		out = append(out, enforce.Target{
			Owner: bound(o), Mode: s.cfg.ModeFor(o.Login), Limits: s.cfg.LimitsFor(o.Login), Types: o.Types, Match: o.Matches,
		})
	}
	return out, nil
}

// hasSnapshot makes sure that something is kept of an owner.
func (s *session) hasSnapshot(ctx context.Context, login string) error {
	for _, err := range s.db.Known(ctx, login) {
		return err
	}
	return usagef("there is no snapshot of %s; make one with: shelflife inventory pull %[1]s", login)
}

// logDecisions keeps who said what about which version, for query and show.
func (s *session) logDecisions(ctx context.Context, p guard.Plan) error {
	return s.db.SaveDecisions(ctx, p.ID(), slices.Collect(decisions.Rows(p)))
}

// parseTime reads a day or an RFC 3339 time; "" is the zero time.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--as-of %q is no time; write 2027-01-31 or 2027-01-31T12:00:00Z", s)
}

// writeFile writes a file whole or not at all, readable by its owner only.
func writeFile(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".shelflife-*")
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}
