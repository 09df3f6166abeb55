package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func (a *app) simCommand() *cobra.Command {
	var seed, listen string
	c := &cobra.Command{
		Use:   "sim",
		Short: "Serve a simulated GitHub Packages and ghcr.io for policy authors and tests",
		Long: `Serve a stateful simulator of GitHub's Packages API, Apps, webhooks and ghcr.io on
one address, filled from a seed file (docs/simulator.md), or with the demo's sample.
It behaves as GitHub is known to, refusals included. GET /_sim/state shows what is
left, GET /_sim/calls what was asked.`,
		Example: `  shelflife sim --listen 127.0.0.1:8080 &
  export GITHUB_API_URL=http://127.0.0.1:8080 SHELFLIFE_REGISTRY_URL=http://127.0.0.1:8080 GITHUB_TOKEN=any
  shelflife plan acme`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s := githubsim.SampleSeed()
			if seed != "" {
				f, err := a.openFile("seed", seed)
				if err != nil {
					return err
				}
				defer f.Close()
				if s, err = githubsim.ReadSeed(f); err != nil {
					return usagef("%s: %w", seed, err)
				}
			}
			sim, err := serveSim(c.Context(), s, listen)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "listening on %s\n", sim.url)
			a.note("export GITHUB_API_URL=%[1]s SHELFLIFE_REGISTRY_URL=%[1]s GITHUB_TOKEN=any", sim.url)
			return sim.wait()
		},
	}
	c.Flags().StringVar(&seed, "seed", "", "seed file (default: the demo's sample)")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on; port 0 picks one")
	return c
}

// runningSim is a simulator on a port of this machine.
type runningSim struct {
	*githubsim.Server
	url  string
	done chan error
}

// serveSim serves until ctx ends.
func serveSim(ctx context.Context, seed githubsim.Seed, listen string) (*runningSim, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, usagef("listen on %s: %w; write an address such as 127.0.0.1:8080", listen, err)
	}
	r := &runningSim{url: "http://" + l.Addr().String(), done: make(chan error, 1)}
	if r.Server, err = githubsim.New(seed, githubsim.WithBaseURL(r.url)); err != nil {
		_ = l.Close()
		return nil, usagef("seed: %w", err)
	}
	srv := &http.Server{Handler: r.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		err := srv.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		r.done <- err
	}()
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(stop)
	}()
	return r, nil
}

func (r *runningSim) wait() error { return <-r.done }
