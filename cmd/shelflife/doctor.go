package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) doctorCommand() *cobra.Command {
	var probe string
	c := &cobra.Command{
		Use:   "doctor [OWNER…]",
		Short: "Find out what the credential can do and what is wrong with the set-up",
		Long: `Check the configuration, the policies, the state file, and for each owner what the
credential can really do: list packages, read versions, read manifests. Every
finding says what to do.

--write-probe deletes one version that you name and restores it at once, through
the same guards and ledger as everything else: the only way to know that deleting
and restoring work.`,
		Example: `  shelflife doctor acme
  shelflife doctor acme --write-probe acme/npm/scratch@0.0.1`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			d := &diagnosis{app: a}
			if err := d.run(c.Context(), args, probe); err != nil {
				return err
			}
			return d.finish()
		},
	}
	c.Flags().StringVar(&probe, "write-probe", "", "delete and restore this version (OWNER/TYPE/NAME@VERSION)")
	return c
}

// diagnosis collects what the doctor finds.
type diagnosis struct {
	*app
	findings []finding
	code     int
}

type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"` // ok, note, fail
	Detail string `json:"detail"`
}

func (d *diagnosis) ok(check, format string, args ...any)   { d.add("ok", check, format, args...) }
func (d *diagnosis) note(check, format string, args ...any) { d.add("note", check, format, args...) }

func (d *diagnosis) fail(check string, err error) {
	d.add("fail", check, "%s", ghapp.Redact(err.Error()))
	code := exitFailed
	if coded, ok := errors.AsType[*codeError](err); ok {
		code = coded.code
	}
	d.code = max(d.code, code)
}

func (d *diagnosis) add(result, check, format string, args ...any) {
	d.findings = append(d.findings, finding{check, result, fmt.Sprintf(format, args...)})
}

func (d *diagnosis) finish() error {
	g := report.Grid{Columns: []string{"CHECK", "RESULT", "DETAIL"}, Document: d.findings}
	bad := 0
	for _, f := range d.findings {
		g.Rows = append(g.Rows, []string{f.Check, f.Result, f.Detail})
		if f.Result == "fail" {
			bad++
		}
	}
	g.Summary = fmt.Sprintf("%s, %d failed", plural(len(d.findings), "check"), bad)
	if err := d.show(g); err != nil {
		return err
	}
	return silent(d.code)
}

func (d *diagnosis) run(ctx context.Context, owners []string, probe string) error {
	cfg, err := d.loadConfig(owners...)
	if err != nil {
		d.fail("configuration", err)
		return nil
	}
	if cfg.File == "" {
		d.ok("configuration", "no file; %s from the command line, observed with the shipped policies", plural(len(cfg.Owners), "owner"))
	} else {
		d.ok("configuration", "%s, %s", cfg.File, plural(len(cfg.Owners), "owner"))
	}
	s, err := d.openWith(cfg)
	if err != nil {
		d.fail("state", err)
		return nil
	}
	defer s.close()
	d.state(ctx, s)
	if engine, err := s.policies(ctx); err != nil {
		d.fail("policies", err)
	} else {
		d.ok("policies", "%d of them, %s", len(engine.Policies()), shortName(engine.Bundle().Digest))
	}
	named, err := s.owners(owners)
	if err != nil {
		d.fail("owners", err)
		return nil
	}
	for _, o := range named {
		d.owner(ctx, s, o)
	}
	if probe != "" {
		d.writeProbe(ctx, s, probe)
	}
	return nil
}

func (d *diagnosis) state(ctx context.Context, s *session) {
	owners, err := s.ledger.Owners(ctx)
	if err != nil {
		d.fail("state", err)
		return
	}
	if _, err := s.db.Key(ctx); err != nil {
		d.fail("state", err)
		return
	}
	records, open := 0, 0
	for _, o := range owners {
		v, err := s.ledger.Verify(ctx, o)
		if err != nil {
			d.fail("ledger of "+o, err)
			return
		}
		records, open = records+int(v.Records), open+v.Open
	}
	d.ok("state", "%s; ledger whole: %s, %s", s.db.Path(), plural(len(owners), "owner"), plural(records, "record"))
	if open > 0 {
		d.note("state", "%d actions were begun and have no outcome: apply their plan again, or the next run finds out", open)
	}
}

// owner checks what the owner's credential can do, from the outside in; what
// needs an earlier step that failed is left out.
func (d *diagnosis) owner(ctx context.Context, s *session, o config.Owner) {
	check := func(what string) string { return o.Login + ": " + what }
	acc, err := s.connect(ctx, o)
	if acc == nil {
		if dialled, dialErr := s.dial(o); dialErr == nil {
			d.credential(ctx, check("credential"), dialled)
		}
		d.fail(check("owner"), err)
		return
	}
	d.credential(ctx, check("credential"), acc)
	d.ok(check("owner"), "%s %s, id %s", acc.owner.Kind, acc.owner.Login, acc.owner.ID)
	listing, err := acc.reader.List(ctx, acc.owner, o.Types)
	if err != nil {
		d.fail(check("list packages"), err)
		return
	}
	for _, p := range listing.Problems {
		d.fail(check("list packages"), errors.New(p.Detail))
	}
	if len(listing.Packages) == 0 {
		d.fail(check("list packages"), errors.New("none are visible: there are none, or the credential lacks read:packages or access to them; check on GitHub, and see docs/github-setup.md"))
		return
	}
	d.ok(check("list packages"), "%s visible", plural(len(listing.Packages), "package"))
	d.readOne(ctx, check, acc, listing.Packages)
}

// readOne reads one package of the listing, a container if there is one, since
// that takes the registry too.
func (d *diagnosis) readOne(ctx context.Context, check func(string) string, acc *access, list []retention.Package) {
	p := list[0]
	if i := slices.IndexFunc(list, func(p retention.Package) bool { return p.Type == retention.Container }); i >= 0 {
		p = list[i]
	}
	inv, err := acc.reader.Read(ctx, acc.owner, p, inventory.Options{Fresh: true})
	what := check("read " + string(p.Type) + "/" + p.Name)
	switch {
	case err != nil:
		d.fail(what, err)
	case !inv.Complete:
		for _, problem := range inv.Problems {
			d.fail(what, errors.New(problem.Detail))
		}
	case p.Type == retention.Container:
		d.ok(what, "%s, %s", plural(len(inv.Versions), "version"), plural(inv.Graph.Len(), "manifest"))
	default:
		d.ok(what, "%s; no container package, so the registry was not tried", plural(len(inv.Versions), "version"))
	}
}

// maxSkew is how far this machine's clock may be off before App tokens fail.
const maxSkew = 30 * time.Second

func (d *diagnosis) credential(ctx context.Context, check string, acc *access) {
	switch src := acc.source.(type) {
	case *ghapp.TokenSource:
		info, err := src.Scopes(ctx)
		if err != nil {
			d.fail(check, err)
			return
		}
		d.scopes(check, info)
		d.skew(check, info.ClockSkew)
	case *ghapp.AppSource:
		inst, err := src.Installation(ctx)
		if err != nil {
			d.fail(check, err)
			return
		}
		d.installation(check, inst)
		d.skew(check, inst.ClockSkew)
	}
}

func (d *diagnosis) skew(check string, skew time.Duration) {
	if skew.Abs() > maxSkew {
		d.note(check, "this machine's clock is off by %s from GitHub's: set it, or App tokens are refused", skew.Round(time.Second))
	}
}

func (d *diagnosis) scopes(check string, info ghapp.TokenInfo) {
	if len(info.Scopes) == 0 {
		d.note(check, "a token of %s that names no scopes (a fine-grained or workflow token): GitHub Packages takes classic tokens; see docs/github-setup.md", info.Login)
		return
	}
	d.ok(check, "a classic token of %s with %s", info.Login, strings.Join(info.Scopes, ", "))
	has := func(scope string) bool { return slices.Contains(info.Scopes, scope) }
	if !has("read:packages") && !has("write:packages") {
		d.fail(check, errors.New("the scope read:packages is missing: plan can't read; add it to the token"))
	}
	if !has("delete:packages") {
		d.note(check, "the scope delete:packages is missing: plan works, apply does not")
	}
	if !has("write:packages") {
		d.note(check, "the scope write:packages is missing: undo can't restore")
	}
}

func (d *diagnosis) installation(check string, inst ghapp.Installation) {
	level := inst.Permissions["packages"]
	d.ok(check, "installation %d of the App on %s, packages: %s", inst.ID, inst.Account.Login, level)
	if level == "" {
		d.fail(check, errors.New("the App has no packages permission; give it packages: write on the App's page, and accept it for the installation"))
	} else if level != "write" {
		d.note(check, "the App's packages permission is %s: plan works, apply does not", level)
	}
	if !slices.Contains(inst.Events, "package") && !slices.Contains(inst.Events, "registry_package") {
		d.note(check, "the App is not subscribed to package events: the webhook hears nothing")
	}
	d.note(check, "GitHub's description of the Packages API says that it takes no App tokens; field reports differ. What works is shown below; see docs/github-setup.md")
}

func (d *diagnosis) writeProbe(ctx context.Context, s *session, arg string) {
	ref, err := parseReference(arg)
	if err == nil && ref.version == "" {
		err = usagef("--write-probe needs a version: OWNER/TYPE/NAME@VERSION")
	}
	if err != nil {
		d.fail("write probe", err)
		return
	}
	targets, err := s.targets(ctx, []string{ref.Owner})
	if err != nil {
		d.fail("write probe", err)
		return
	}
	t := targets[0]
	ref.Owner = t.Owner.Login
	for _, action := range []retention.Action{retention.Delete, retention.Restore} {
		detail, err := d.probe(ctx, s, t, ref, action)
		if err != nil {
			d.fail("write probe: "+action.String(), err)
			return
		}
		d.ok("write probe: "+action.String(), "%s", detail)
	}
}

func (d *diagnosis) probe(ctx context.Context, s *session, t enforce.Target, ref reference, action retention.Action) (string, error) {
	state := retention.Active
	if action == retention.Restore {
		state = retention.Deleted
	}
	acc := s.accesses[s.owner(ref.PackageRef.String()).Login]
	id, err := acc.find(ctx, t.Owner, ref, state)
	if err != nil {
		return "", err
	}
	h := enforce.ByHand{Action: action, Target: retention.TargetVersion, Version: id, Reason: "write probe of doctor"}
	plan, err := s.enforcer().PlanByHand(ctx, t, ref.PackageRef, h)
	if err != nil {
		return "", err
	}
	if action == retention.Delete {
		if err := s.clockAhead(); err != nil {
			return "", err
		}
	}
	res, err := s.enforcer().Apply(ctx, enforce.ApplyRequest{Plan: plan, Targets: []enforce.Target{t}, Judge: h, Bundle: plan.Bundle(), Person: true})
	if err != nil {
		return "", err
	}
	if len(res.Items) == 1 && res.Items[0].Outcome == retention.OutcomeDone {
		return "works (run " + res.Run + ")", nil
	}
	for _, it := range slices.Concat(res.Items, plan.Items()) {
		if it.Detail != "" {
			return "", errors.New(it.Detail)
		}
		if it.Guard != nil {
			return "", errors.New(it.Guard.Detail)
		}
	}
	if res.StoppedBy != nil {
		return "", res.StoppedBy
	}
	return "", errors.New("nothing was done")
}
