package main

import (
	"context"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// follow loads the policies. A bundle is loaded again from time to time, with the
// parameters and data of the start; a folder is read once.
func (s *server) follow(ctx context.Context) error {
	engine, err := s.policies(ctx)
	if err != nil {
		return err
	}
	opts, err := policyset.Options(s.cfg)
	if err != nil {
		return usage(err)
	}
	s.inForce = policyset.Follow(policyset.Following{
		Engine: engine, Status: s.bundle, MaxAge: s.cfg.Policies.BundleMaxAge, Now: s.now, Log: s.log,
		Load: func(ctx context.Context) (*policy.Engine, bundles.Status, error) {
			opts, status, err := bundleOptions(ctx, s.cfg, s.db, s.now, opts)
			if err != nil {
				return nil, status, err
			}
			engine, err := loadPolicies(ctx, s.cfg, opts)
			return engine, status, err
		},
	})
	return nil
}

// judge is what the engine decides by.
func (s *server) judge() (enforce.Judge, guard.Bundle, error) {
	engine, err := s.inForce.Policies()
	if err != nil {
		return nil, guard.Bundle{}, err
	}
	return engine, bundleOf(engine), nil
}

// policySwitch is on as well while there are no policies that may be used, so that
// what is under way stops and nothing is begun.
type policySwitch struct {
	sweep.Switch
	inForce *policyset.Follower
}

// Paused looks at the switch below first.
func (s policySwitch) Paused(ctx context.Context) (bool, string) {
	if on, why := s.Switch.Paused(ctx); on {
		return on, why
	}
	if _, err := s.inForce.Policies(); err != nil {
		return true, "there are no policies: " + err.Error()
	}
	return false, ""
}
