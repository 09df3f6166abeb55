package template

import "testing"

func readEnvironment(*testing.T) map[string][]string {
	both := []string{"SHELFLIFE_TABLE", "SHELFLIFE_BUCKET", "SHELFLIFE_QUEUE_URL", "SHELFLIFE_CONFIG", "SHELFLIFE_MODE", "GITHUB_API_URL", "SHELFLIFE_REGISTRY_URL"}
	return map[string][]string{
		"EnforcerFunction": append([]string{"SHELFLIFE_APP_ID", "SHELFLIFE_APP_KEY_ID", "SHELFLIFE_APP_KEY_SECRET", "SHELFLIFE_SEAL_KEY_ID"}, both...),
		"WebhookFunction":  append([]string{"SHELFLIFE_WEBHOOK_SECRET"}, both...),
	}
}

func metrics(*testing.T) map[string][]string {
	return map[string][]string{"Shelflife/enforcer": {"Heartbeat", "BudgetUsedPercent", "PausedSeconds", "UnknownOutcomes", "Deleted", "Restored", "Held", "Failed"}}
}
