package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// reference is what a person writes for a package or version:
// OWNER/TYPE/NAME or OWNER/TYPE/NAME@VERSION. Names may hold slashes and, for
// npm scopes, begin with @.
type reference struct {
	retention.PackageRef
	version string // an id, a name, a digest or a tag; "" for the package
}

func parseReference(s string) (reference, error) {
	bad := func() (reference, error) {
		return reference{}, usagef("%q is no package: write OWNER/TYPE/NAME, such as acme/container/team/api or acme/npm/widgets", s)
	}
	owner, rest, ok := strings.Cut(s, "/")
	typ, name, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || owner == "" || name == "" {
		return bad()
	}
	r := reference{PackageRef: retention.PackageRef{Owner: owner, Type: retention.PackageType(typ), Name: name}}
	if !r.Type.Valid() {
		return reference{}, usagef("%q is no package type: use one of %s", typ, typeNames())
	}
	if i := strings.LastIndex(name, "@"); i > 0 {
		r.Name, r.version = name[:i], name[i+1:]
		if r.version == "" {
			return bad()
		}
	}
	return r, nil
}

// operate connects to the owner of a reference that stands on the command line.
func (a *app) operate(ctx context.Context, arg string, do func(*session, *access, enforce.Target, reference) error) error {
	ref, err := parseReference(arg)
	if err != nil {
		return err
	}
	s, err := a.open(ref.Owner)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	targets, err := s.targets(ctx, []string{ref.Owner})
	if err != nil {
		return err
	}
	ref.Owner = targets[0].Owner.Login
	return do(s, s.accesses[s.owner(arg).Login], targets[0], ref)
}

// owner finds the configured owner of a reference.
func (s *session) owner(arg string) config.Owner {
	login, _, _ := strings.Cut(arg, "/")
	o, _ := s.cfg.Owner(login)
	return o
}

// byHand plans one action that a person named, and carries it out with --yes.
func (s *session) byHand(ctx context.Context, t enforce.Target, ref reference, h enforce.ByHand, yes bool) error {
	h.Reason = "asked for by name"
	plan, err := s.enforcer().PlanByHand(ctx, t, ref.PackageRef, h)
	if err != nil {
		return err
	}
	if len(plan.Items()) == 0 {
		return fmt.Errorf("%s: there is nothing to %s; look with shelflife versions list %[1]s", ref.PackageRef, h.Action)
	}
	do := false
	for _, it := range plan.Items() {
		do = do || it.Status == retention.StatusPlanned || (it.Guard != nil && it.Guard.Code.ReleasedByApply())
	}
	if !yes || !do {
		if err := s.show(planView(plan, plan)); err != nil {
			return err
		}
		if !do {
			return silent(exitHeld)
		}
		if alarmed(plan) {
			s.note("nothing was done: say --yes to %s in spite of the alarm", h.Action)
		} else {
			s.note("nothing was done: say --yes to %s", h.Action)
		}
		return nil
	}
	return s.carryOut(ctx, plan, enforce.ApplyRequest{Plan: plan, Targets: []enforce.Target{t}, Judge: h, Bundle: plan.Bundle(), Person: true})
}

func yesFlag(c *cobra.Command, yes *bool) {
	c.Flags().BoolVar(yes, "yes", false, "do it; without this it is only shown")
}

// typeNames lists the package types for people.
func typeNames() string {
	var names []string
	for _, t := range retention.PackageTypes() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}
