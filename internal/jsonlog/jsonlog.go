// Package jsonlog writes logs as JSON lines in which nothing that looks like a
// secret stands, whether it came as text, as an error or inside one, and nothing
// that a terminal would obey or not show.
package jsonlog

import (
	"io"
	"log/slog"

	"github.com/shelflife-dev/shelflife/internal/harmless"
	"github.com/shelflife-dev/shelflife/internal/redact"
)

// New returns a logger that writes to w.
func New(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(harmless.NewJSON(w), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch v := a.Value.Any().(type) {
		case string:
			a.Value = slog.StringValue(redact.Text(v))
		case error:
			a.Value = slog.StringValue(redact.Text(v.Error()))
		}
		return a
	}}))
}
