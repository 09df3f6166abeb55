package ledger_test

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

func TestMemoryConforms(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Instance {
		m := ledgertest.NewMemory()
		return ledgertest.Instance{Store: m, Another: func(*testing.T) ledger.Store { return m }, Tamper: m.Tamper}
	})
}
