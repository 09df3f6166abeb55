package template

import (
	"regexp"
	"slices"
	"strings"
)

// table: the table is the one that the ledger asks for.
func table(t Template, f Facts) []string {
	var b breaches
	tables := t.ofType("AWS::DynamoDB::Table")
	if len(tables) != 1 {
		b.add("there are %d tables, not 1", len(tables))
	}
	for _, r := range tables {
		p := r.Properties
		b.want("its billing", at(p, "BillingMode"), f.Ledger.BillingMode)
		types := map[string]string{}
		for _, a := range list(at(p, "AttributeDefinitions")) {
			types[text(at(a, "AttributeName"))] = text(at(a, "AttributeType"))
		}
		var got []Key
		for _, k := range list(at(p, "KeySchema")) {
			name := text(at(k, "AttributeName"))
			got = append(got, Key{Name: name, Role: text(at(k, "KeyType")), Type: types[name]})
		}
		if !slices.Equal(got, f.Ledger.Keys) || len(types) != len(got) {
			b.add("the key is %v with attributes %v, not %v", got, types, f.Ledger.Keys)
		}
		for _, index := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
			if at(p, index) != nil {
				b.add("it has %s, which nothing uses", index)
			}
		}
		b.want("its time to live", at(p, "TimeToLiveSpecification", "AttributeName"), f.Ledger.TTL)
		b.want("its time to live's being on", at(p, "TimeToLiveSpecification", "Enabled"), true)
		b.want("its point-in-time recovery", at(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true)
		b.want("its protection from deletion", at(p, "DeletionProtectionEnabled"), true)
		b.want("its encryption", at(p, "SSESpecification", "SSEEnabled"), true)
	}
	return b
}

// retained: what can't be had again outlives the stack.
func retained(t Template, _ Facts) []string {
	var b breaches
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"} {
		for _, r := range t.ofType(kind) {
			b.want(r.Name+": DeletionPolicy", r.All["DeletionPolicy"], "Retain")
			b.want(r.Name+": UpdateReplacePolicy", r.All["UpdateReplacePolicy"], "Retain")
		}
	}
	return b
}

// decisionColumns: Athena's table has the fields that are written, and its
// partitions are the folders that they are written to.
func decisionColumns(t Template, f Facts) []string {
	var b breaches
	tables := t.ofType("AWS::Glue::Table")
	if len(tables) != 1 {
		b.add("there are %d Glue tables, not 1", len(tables))
	}
	for _, r := range tables {
		in := at(r.Properties, "TableInput")
		columns, partitions := names(at(in, "StorageDescriptor", "Columns")), names(at(in, "PartitionKeys"))
		if !slices.Equal(columns, f.Columns) {
			b.add("the columns are %v, the rows have %v", columns, f.Columns)
		}
		for _, p := range partitions {
			if slices.Contains(columns, p) {
				b.add("%s is a column and a partition, which Athena refuses", p)
			}
			if text(at(in, "Parameters", "projection."+p+".type")) == "" {
				b.add("the partition %s is not projected", p)
			}
		}
		b.want("projection.enabled", at(in, "Parameters", "projection.enabled"), "true")
		b.want("where the partitions are", at(in, "Parameters", "storage.location.template", "Fn::Sub"),
			"s3://${Bucket}/"+strings.NewReplacer("<owner>", "${!account}", "<day>", "${!dt}").Replace(f.Decisions))
	}
	return b
}

func names(v any) []string {
	var out []string
	for _, c := range list(v) {
		out = append(out, text(at(c, "Name")))
	}
	return out
}

// suppressions: a rule of checkov is suppressed with a sentence that says why.
func suppressions(t Template, _ Facts) []string {
	var b breaches
	for _, name := range t.Order {
		for _, s := range list(at(t.Resources[name].All, "Metadata", "checkov", "skip")) {
			why := text(at(s, "comment"))
			if other, ok := strings.CutPrefix(why, "As for "); ok {
				other, _, _ = strings.Cut(strings.TrimSuffix(other, "."), ";")
				if at(t.Resources[other].All, "Metadata", "checkov") == nil {
					b.add("%s: %s is explained by %s, which explains nothing", name, text(at(s, "id")), other)
				}
			} else if len(strings.Fields(why)) < 5 {
				b.add("%s: %s is suppressed without a reason", name, text(at(s, "id")))
			}
		}
	}
	return b
}

var secretName = regexp.MustCompile(`(?i)secret|token|password|key`)

// noSecretsInVariables: the environment names secrets; it never holds one.
func noSecretsInVariables(t Template, _ Facts) []string {
	var b breaches
	for _, f := range t.functions() {
		for name, v := range t.variables(f) {
			if !secretName.MatchString(name) {
				continue
			}
			for _, v := range branches(v) {
				for _, ref := range references(v) {
					if at(t.Parameters, ref) != nil && !strings.HasSuffix(ref, "Arn") {
						b.add("%s of %s is the parameter %s: a secret there would be readable by all who see the stack", name, f.Name, ref)
					}
				}
				if s := text(v); s != "" || strings.Contains(show(v), "resolve:") {
					b.add("%s of %s is %q; it has to name a resource", name, f.Name, show(v))
				}
			}
		}
	}
	return b
}
