// Package preview says what policies would do, without doing any of it: what
// changes between two policy sets (Diff), what goes when if nothing else changes
// (Forecast), and what would have gone in the past, and who needed it later
// (Backtest). It works on kept readings, one package in memory for each worker,
// and judges them with the very policies and guards that a run uses.
//
// It never calls GitHub, never writes to a ledger or a store, and makes no plan
// that could be applied. Its results are plain data.
package preview
