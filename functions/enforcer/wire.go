package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/access"
	"github.com/shelflife-dev/shelflife/internal/awsenv"
	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/fifo"
	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory/s3snap"
	"github.com/shelflife-dev/shelflife/internal/kmskeys"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/metrics"
	"github.com/shelflife-dev/shelflife/internal/operator"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/secretstore"
	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/tick"
)

// parts are what the function is wired of.
type parts struct {
	settings funcenv.Settings
	revision string
	log      *slog.Logger
	now      func() time.Time
	counter  counter
	table    *dynamodb.Table
	bucket   *s3snap.Store
	queue    counted
	keys     *kms.Client
	ledger   *ledger.Ledger
	judge    *policy.Engine
	bundle   guard.Bundle
	sealer   guard.Sealer
	owners   *owners
}

// wire builds the function from its environment without a call.
func wire(env func(string) string, out io.Writer, log *slog.Logger, now func() time.Time) (*dispatch.Dispatcher, error) {
	settings, err := funcenv.ReadEnforcer(env)
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Config(env)
	if err != nil {
		return nil, err
	}
	judge, err := policyset.Load(context.Background(), settings.Config)
	if err != nil {
		return nil, err
	}
	p := &parts{settings: settings, revision: settings.Revision(revision), log: log, now: now, judge: judge, bundle: policyset.Bundle(judge)}
	p.counter = counter{metrics.New(out, "enforcer", now), log}
	p.table = dynamodb.New(ddb.NewFromConfig(cfg), settings.Table, now)
	p.bucket = s3snap.New(newS3(cfg), settings.Bucket, p.table)
	p.queue = counted{fifo.New(sqs.NewFromConfig(cfg), settings.QueueURL, p.revision), p.counter}
	p.keys = kms.NewFromConfig(cfg)
	p.sealer = kmskeys.NewSealer(p.keys, settings.SealKeyID)
	p.ledger = ledger.New(p.table, now)
	governors, err := ghapp.NewGovernors(ghapp.GovernorOptions{
		MaxInFlight: settings.Config.API.MaxInFlight, ReservePercent: access.Reserve(settings.Config.API.ReservePercent),
	})
	if err != nil {
		return nil, err
	}
	p.owners = newOwners(p, env, secretstore.New(secretsmanager.NewFromConfig(cfg)), access.Dialer{
		API: settings.Config.API, MaxStaleness: settings.Config.MaxStaleness, UserAgent: ghapp.UserAgent(p.revision), Governors: governors,
		Ledger: p.ledger, Snapshots: p.bucket, Manifests: p.table, Now: now,
	})
	return p.dispatcher()
}

// newS3 addresses buckets by path where the endpoint is not AWS's own: the names
// of buckets are not hosts there.
func newS3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

func (p *parts) dispatcher() (*dispatch.Dispatcher, error) {
	enforcer := &enforce.Enforcer{Ledger: p.ledger, Now: p.now, Actor: "schedule", Expiry: p.settings.Config.PlanExpiry}
	engine, err := sweep.New(sweep.Config{
		Owners: p.settings.Config.Owners, Connect: p.owners.target, Enforcer: enforcer, Judge: p.judge, Bundle: p.bundle, Sealer: p.sealer,
		Plans: p.bucket, Sweeps: p.table.Sweeps(), Queue: p.queue, Switch: p.table, OwnerVersions: p.table.ActiveVersions,
		Record: p.record, Observe: p.counter.event, Now: p.now, Log: p.log, Slice: p.settings.Slice,
	})
	if err != nil {
		return nil, err
	}
	holder := dispatch.Holder{Locks: p.table, IsHeld: isHeld, Now: p.now, NewID: rand.Text}
	commands := operator.New(operator.Config{
		Owners: p.settings.Config.Owners, Mode: p.owners.mode, Limits: p.settings.Config.LimitsFor, Connect: p.owners.target,
		Enforcer: enforcer, Ledger: p.ledger, Judge: p.judge, Bundle: p.bundle, Sealer: p.sealer, Plans: p.bucket, Record: p.record,
		States: engine, Switch: killSwitch{p.table}, Exclusive: holder.Exclusive, Now: p.now, Revision: p.revision,
	})
	ticker := &tick.Ticker{
		Owners: p.settings.Config.Owners, Limits: p.settings.Config.LimitsFor, Engine: engine, Ledger: p.ledger, Metrics: p.counter.Emitter,
		PausedSince: killSwitch{p.table}.since, Redeliver: p.owners.redeliver, Now: p.now, Log: p.log,
	}
	return dispatch.New(dispatch.Config{
		Holder: holder, Worker: measured{engine, p}, Tick: ticker.Tick, Commands: commands.Commands(), Log: p.log, Revision: p.revision, Needs: engine.Needs(),
		PutOff: func(owner string) { p.counter.count(owner, metrics.Of(metrics.PutOff, 1)) },
	})
}
