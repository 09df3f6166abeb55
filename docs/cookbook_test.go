package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fileBlock is a block of a page that shows a file: the marker, the fence, the text.
var fileBlock = regexp.MustCompile("(?ms)^<!-- file: (\\S+) -->\n```[a-z]+\n(.*?)^```$")

// TestShownFilesAreTheFiles holds every block of a page that names a file
// against that file. go test ./docs -update writes the pages.
func TestShownFilesAreTheFiles(t *testing.T) {
	shown := 0
	for _, page := range markdown(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		doc := fileBlock.ReplaceAllStringFunc(string(raw), func(block string) string {
			m := fileBlock.FindStringSubmatch(block)
			text, err := os.ReadFile(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1])))
			if err != nil {
				t.Errorf("%s: %v", page, err)
				return block
			}
			shown++
			if string(text) != m[2] && !*update {
				t.Errorf("%s shows another %s than the file; go test ./docs -update writes it", page, m[1])
			}
			fence, _, _ := strings.Cut(strings.TrimPrefix(block, "<!-- file: "+m[1]+" -->\n"), "\n")
			return "<!-- file: " + m[1] + " -->\n" + fence + "\n" + string(text) + "```"
		})
		if *update && doc != string(raw) {
			if err := os.WriteFile(page, []byte(doc), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if shown < 40 {
		t.Errorf("only %d files are shown: the pattern has changed", shown)
	}
}

func TestEveryRecipeIsInTheCookbook(t *testing.T) {
	raw, err := os.ReadFile("cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	recipes, err := os.ReadDir(filepath.Join("examples", "cookbook"))
	if err != nil {
		t.Fatal(err)
	}
	if len(recipes) < 20 {
		t.Errorf("there are %d recipes", len(recipes))
	}
	for _, r := range recipes {
		files, err := os.ReadDir(filepath.Join("examples", "cookbook", r.Name()))
		if err != nil {
			t.Fatal(err)
		}
		cases := false
		for _, f := range files {
			cases = cases || strings.HasSuffix(f.Name(), ".case.yaml")
			if name := "<!-- file: examples/cookbook/" + r.Name() + "/" + f.Name() + " -->"; !strings.Contains(string(raw), name) {
				t.Errorf("cookbook.md does not show %s of %s", f.Name(), r.Name())
			}
		}
		if !cases {
			t.Errorf("recipe %s has no cases", r.Name())
		}
	}
}

// TestExamplesAreInOrderForTheStockOPA checks and formats what the pages show.
func TestExamplesAreInOrderForTheStockOPA(t *testing.T) {
	for _, args := range [][]string{
		{"fmt", "--list", "--fail", "docs/examples"},
		{"check", "--strict", "--schema", "policies/schemas", "--capabilities", "policies/capabilities.json", "--ignore", "*.yaml", "policies/lib", "docs/examples/cookbook", "docs/examples/policies"},
	} {
		cmd := exec.Command("go", append([]string{"tool", "-modfile=tools/go.mod", "opa"}, args...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("opa %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestExampleCasesPass runs the cases of the cookbook and of the migrations.
func TestExampleCasesPass(t *testing.T) {
	bin := build(t)
	for _, dir := range []string{"cookbook", "migrate"} {
		cmd := exec.Command(filepath.Join(bin, "shelflife"), "policy", "test", "--path", filepath.Join("examples", dir), "--threshold", "100")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", dir, err, out)
		}
	}
}
