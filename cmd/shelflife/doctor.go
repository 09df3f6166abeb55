package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/doctor"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/report"
)

func (a *app) doctorCommand() *cobra.Command {
	var probe string
	c := &cobra.Command{
		Use:   "doctor [OWNER…]",
		Short: "Find out what the credential can do and what is wrong with the set-up",
		Long: `Check the configuration, the policies, the state file, and for each owner what the
credential can really do: list packages, read versions, read manifests. Every
finding says what to do; docs/doctor.md lists them all.

--write-probe deletes one version that you name and restores it at once, through
the same guards and ledger as everything else: the only way to know that deleting
and restoring work.`,
		Example: `  shelflife doctor acme
  shelflife doctor acme --write-probe acme/npm/scratch@0.0.1`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			d := &diagnosis{app: a, Report: doctor.NewReport(ghapp.Redact)}
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
	*doctor.Report
	code int
}

// failed notes what an error means, under a code that the caller knows.
func (d *diagnosis) failed(check string, code doctor.Code, err error) {
	d.Failed(check, code, err, sayWait(err))
	d.code = max(d.code, codeOf(err))
}

// failure notes what an error means.
func (d *diagnosis) failure(check string, err error) { d.failed(check, doctor.Classify(err), err) }

func codeOf(err error) int {
	if coded, ok := errors.AsType[*codeError](err); ok {
		return coded.code
	}
	return exitFailed
}

func (d *diagnosis) finish() error {
	g := report.Grid{Columns: []string{"CHECK", "RESULT", "DETAIL"}, Document: d.Findings}
	for _, f := range d.Findings {
		g.Rows = append(g.Rows, []string{f.Check, string(f.Result), f.Text()})
	}
	g.Summary = fmt.Sprintf("%s, %d failed", plural(len(d.Findings), "check"), d.Failures())
	if err := d.show(g); err != nil {
		return err
	}
	if d.Failures() > 0 {
		return silent(max(d.code, exitFailed))
	}
	return nil
}

func (d *diagnosis) run(ctx context.Context, owners []string, probe string) error {
	cfg, err := d.loadConfig(owners...)
	if err != nil {
		d.failed("configuration", doctor.OfConfig(err), err)
		return nil
	}
	if cfg.File == "" {
		d.OK("configuration", "no file; %s from the command line, observed with the shipped policies", plural(len(cfg.Owners), "owner"))
	} else {
		d.OK("configuration", "%s, %s", cfg.File, plural(len(cfg.Owners), "owner"))
	}
	d.secrets(cfg)
	s, err := d.openWith(cfg)
	if err != nil {
		d.failed("state", doctor.OfState(err), err)
		return nil
	}
	defer s.close()
	d.state(ctx, s)
	d.policies(ctx, s)
	named, err := s.owners(owners)
	if err != nil {
		d.failed("owners", doctor.ConfigUnnamed, err)
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

// secrets looks whether what the webhook is checked with is there.
func (d *diagnosis) secrets(cfg config.Config) {
	var missing []string
	for _, name := range cfg.Serve.WebhookSecrets {
		if strings.TrimSpace(d.getenv(name)) == "" {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) > 0:
		d.Found("webhook secrets", doctor.WebhookSecret, false, strings.Join(missing, ", "))
		d.code = exitUsage
	case len(cfg.Serve.WebhookSecrets) > 0:
		d.OK("webhook secrets", "%s", strings.Join(cfg.Serve.WebhookSecrets, ", "))
	}
}

func (d *diagnosis) state(ctx context.Context, s *session) {
	owners, err := s.ledger.Owners(ctx)
	if err == nil {
		_, err = s.db.Key(ctx)
	}
	if err != nil {
		d.failed("state", doctor.StateUnusable, err)
		return
	}
	records, open := 0, 0
	for _, o := range owners {
		v, err := s.ledger.Verify(ctx, o)
		if err != nil {
			d.failed("ledger of "+o, doctor.LedgerBroken, err)
			return
		}
		records, open = records+int(v.Records), open+v.Open
	}
	d.OK("state", "%s; ledger whole: %s, %s", s.db.Path(), plural(len(owners), "owner"), plural(records, "record"))
	if open > 0 {
		d.Found("state", doctor.ActionsOpen, false, plural(open, "action"))
	}
	if on, why := s.pauseSwitch().Paused(ctx); on {
		d.Found("kill switch", doctor.Paused, false, why)
	}
}

func (d *diagnosis) policies(ctx context.Context, s *session) {
	engine, err := s.loadConfigured(ctx) // what stands in is a finding here, not a warning besides
	if err != nil {
		d.failed("policies", doctor.OfPolicies(err), err)
		return
	}
	d.OK("policies", "%d of them, %s", len(engine.Policies()), shortName(engine.Bundle().Digest))
	if s.cfg.Policies.Bundle == "" {
		return
	}
	if b := s.bundle; b.StandsIn != nil {
		d.Found("policy bundle", doctor.BundleStandsIn, false,
			fmt.Sprintf("revision %s, confirmed %s ago; %v", engine.Bundle().Revision, bundles.Days(b.Age), b.StandsIn))
	} else {
		d.OK("policy bundle", "%s, revision %s", b.Source, engine.Bundle().Revision)
	}
	if s.cfg.Policies.VerificationKey == "" {
		d.Found("policy bundle", doctor.BundleNotVerified, false, "")
	}
}
