package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// previewOwners are the named owners, or all configured ones, as the snapshots
// and the ledger know them.
func (s *session) previewOwners(ctx context.Context, named []string, at time.Time) ([]preview.Owner, error) {
	owners, err := s.owners(named)
	if err != nil {
		return nil, err
	}
	var out []preview.Owner
	for _, o := range owners {
		if err := s.hasSnapshot(ctx, o.Login); err != nil {
			return nil, err
		}
		used, err := s.ledger.Used(ctx, o.Login, "")
		if err != nil {
			return nil, err
		}
		p := previewOwner(s.cfg, o)
		p.Kept, p.SpentToday = s.db, used.Day
		p.Refused = func(ctx context.Context, ref retention.PackageRef) (map[retention.ID]string, error) {
			return enforce.Refused(ctx, s.ledger, ref, at)
		}
		out = append(out, p)
	}
	return out, nil
}

func previewOwner(cfg config.Config, o config.Owner) preview.Owner {
	return preview.Owner{
		Owner: bound(o), Mode: cfg.ModeFor(o.Login), Limits: cfg.LimitsFor(o.Login), Types: o.Types, Match: o.Matches, Next: o.Next,
	}
}

// previewFile previews an inventory file, without any state. Its owners need not
// be configured.
func (a *app) previewFile(ctx context.Context, named []string, f previewFlags, at time.Time, match func(string) bool, do func(previewed) error) (err error) {
	file, err := preview.OpenFile(a.place(f.inventory))
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err // it would say the name again
	}
	if err != nil {
		return usagef("read the inventory %s: %w", f.inventory, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	logins := named
	if len(logins) == 0 {
		for _, o := range file.Owners() {
			logins = append(logins, o.Login)
		}
	}
	cfg, err := a.loadConfig(logins...)
	if err != nil {
		return err
	}
	p := previewed{cfg: cfg, at: at, match: match, progress: report.NewProgress(a.progressWriter(), a.terminal)}
	if p.at.IsZero() {
		p.at = time.Now()
	}
	for _, login := range logins {
		owner, err := inFile(file, login)
		if err != nil {
			return usagef("%s holds no package of %s; it has those of %s", f.inventory, login, ownersText(file))
		}
		o := preview.Owner{Owner: owner, Limits: cfg.Limits}
		if configured, ok := cfg.Owner(login); ok {
			o = previewOwner(cfg, configured)
		}
		o.Owner, o.Kept = owner, file
		p.owners = append(p.owners, o)
	}
	return do(p)
}

// applyHeld takes the alarms away that a person can release.
func applyHeld(owners []preview.Owner, released bool) {
	for i := range owners {
		if released {
			owners[i].Limits.PercentOfPackage, owners[i].Limits.PercentOfOwner = 100, 100
		}
	}
}

var errNotInFile = errors.New("not in the file")

func inFile(file *preview.File, login string) (retention.Owner, error) {
	for _, o := range file.Owners() {
		if retention.SameLogin(o.Login, login) {
			return o, nil
		}
	}
	return retention.Owner{}, errNotInFile
}

func ownersText(file *preview.File) string {
	text := ""
	for i, o := range file.Owners() {
		if i > 0 {
			text += ", "
		}
		text += o.Login
	}
	return text
}
