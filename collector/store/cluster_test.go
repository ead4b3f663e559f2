package store

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateCluster = flag.Bool("update-cluster", false, "write docs/cluster.sql anew")

const clusterFile = "../../docs/cluster.sql"

const clusterHead = `-- Generated from collector/store/schema by go test ./collector/store -run TestClusterSchema -args -update-cluster. DO NOT EDIT.
--
-- NOT TESTED: no cluster was at hand when this was written. It is the schema as docs/scale.md means it for a cluster:
-- every table replicated and, where it grows, cut by centre, so that every row of a case, and every replacement of it, lies
-- on one shard, FINAL is right on each shard alone, and a join of two tables of one centre needs no other shard:
--
--   SET distributed_product_mode = 'local';
--
-- The cluster is called monev112; {shard} and {replica} are macros of each server.
`

var (
	createTable = regexp.MustCompile(
		`(?s)^CREATE TABLE IF NOT EXISTS (\w+)(.*)ENGINE = ReplacingMergeTree(?:\((\w+)\))?(.*)$`)
	createView = regexp.MustCompile(`^CREATE (OR REPLACE )?VIEW (IF NOT EXISTS )?(\w+) AS`)
	dropTable  = regexp.MustCompile(`^DROP TABLE IF EXISTS (\w+)$`)
	alterTable = regexp.MustCompile(`^ALTER TABLE (\w+)`)
)

// clusterSchema is the schema of the migrations for a cluster: tables first, what changes them, what shows all shards
// of them, and the views.
func clusterSchema(known []Migration) (string, error) {
	single := []string{"identity", "restores"} // of the database as a whole
	var tables, shown []string
	views := map[string]string{}
	var order []string
	for _, m := range known {
		for _, s := range m.Statements {
			if t := createTable.FindStringSubmatch(s); t != nil {
				name, version := t[1], ""
				if t[3] != "" {
					version = ", " + t[3]
				}
				path, local := "{shard}", name+"_local"
				if slices.Contains(single, name) {
					path, local = "all", name
				} else {
					shown = append(shown, fmt.Sprintf(
						"CREATE TABLE IF NOT EXISTS %[1]s ON CLUSTER monev112 AS %[2]s\nENGINE = Distributed(monev112, currentDatabase(), %[2]s, %[3]s)", name, local, shardKey(t[2])))
				}
				rest := strings.ReplaceAll(t[4], "non_replicated_deduplication_window", "replicated_deduplication_window")
				tables = append(tables, fmt.Sprintf(
					"CREATE TABLE IF NOT EXISTS %s ON CLUSTER monev112%sENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/%s/{database}/{table}', '{replica}'%s)%s", local, t[2], path, version, rest))
				continue
			}
			if v := createView.FindStringSubmatch(s); v != nil {
				if _, again := views[v[3]]; !again {
					order = append(order, v[3])
				}
				views[v[3]] = createView.ReplaceAllString(s, "CREATE OR REPLACE VIEW $3 ON CLUSTER monev112 AS")
				continue
			}
			if a := alterTable.FindStringSubmatch(s); a != nil {
				local := a[1] + "_local"
				if slices.Contains(single, a[1]) {
					local = a[1]
				}
				tables = append(tables, alterTable.ReplaceAllString(s, "ALTER TABLE "+local+" ON CLUSTER monev112"))
				continue
			}
			if d := dropTable.FindStringSubmatch(s); d != nil { // made anew by a later statement
				of := func(s string) bool {
					return strings.Contains(s, " "+d[1]+"_local ON ") || strings.Contains(s, " "+d[1]+" ON ")
				}
				tables, shown = slices.DeleteFunc(tables, of), slices.DeleteFunc(shown, of)
				continue
			}
			if strings.HasPrefix(s, "INSERT ") {
				continue // works up rows of before, which a new cluster has not
			}
			return "", fmt.Errorf("%s: what does a cluster do with %.80q?", m.Name, s)
		}
	}
	for _, v := range order {
		shown = append(shown, views[v])
	}
	return clusterHead + "\n" + strings.Join(append(tables, shown...), ";\n\n") + ";\n", nil
}

// shardKey keeps a centre together; a table without centres is small, and lies anywhere.
func shardKey(columns string) string {
	if strings.Contains(columns, " center ") {
		return "cityHash64(center)"
	}
	return "rand()"
}

func TestClusterSchemaFollowsTheMigrations(t *testing.T) {
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	want, err := clusterSchema(known)
	if err != nil {
		t.Fatal(err)
	}
	if *updateCluster {
		if err := os.WriteFile(clusterFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(clusterFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the migrations give: go test ./collector/store -run TestClusterSchema -args -update-cluster",
			clusterFile)
	}
}
