package store

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/store/schema"
)

var updateCluster = flag.Bool("update-cluster", false, "write deploy/clickhouse/cluster.sql anew")

const clusterFile = "../../deploy/clickhouse/cluster.sql"

const clusterHead = `-- Generated from collector/store/schema by make generate. DO NOT EDIT.
--
-- NOT TESTED: no cluster was at hand when this was written. It is the schema as docs/scale.md means it for a cluster:
-- every table replicated and, where it grows, cut by centre, so that every row of a case, and every replacement of it,
-- lies on one shard, FINAL is right on each shard alone, and a join of two tables of one centre needs no other shard:
--
--   SET distributed_product_mode = 'local';
--
-- The cluster is called monev112; {shard} and {replica} are macros of each server.
`

var createTable = regexp.MustCompile(
	`(?s)^CREATE TABLE IF NOT EXISTS (\w+)(.*)ENGINE = ReplacingMergeTree(?:\((\w+)\))?(.*)$`)

var addColumn = regexp.MustCompile(`(?s)^ALTER TABLE (\w+) (ADD COLUMN IF NOT EXISTS .*)$`)

var createView = regexp.MustCompile(`^CREATE OR REPLACE VIEW (\S+) AS`)

// clusterSchema is the schema for a cluster: tables first, then what shows all shards of them, and the views.
func clusterSchema(known []schema.File, views schema.File) (string, error) {
	single := []string{"identity", "restores"} // of the database as a whole
	var tables, distributed []string
	for _, m := range known {
		for _, s := range m.Statements {
			if strings.HasPrefix(s, "INSERT INTO ") {
				continue // a new cluster has no rows
			}
			if a := addColumn.FindStringSubmatch(s); a != nil {
				tables = append(tables, fmt.Sprintf("ALTER TABLE %s_local ON CLUSTER monev112 %s", a[1], a[2]))
				continue
			}
			t := createTable.FindStringSubmatch(s)
			if t == nil {
				return "", fmt.Errorf("%s: what does a cluster do with %.80q?", m.Name, s)
			}
			name, version := t[1], ""
			if t[3] != "" {
				version = ", " + t[3]
			}
			path, local := "{shard}", name+"_local"
			if slices.Contains(single, name) {
				path, local = "all", name
			} else {
				distributed = append(distributed, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %[1]s ON CLUSTER monev112 AS %[2]s\n"+
					"ENGINE = Distributed(monev112, currentDatabase(), %[2]s, %[3]s)", name, local, shardKey(t[2])))
			}
			rest := strings.ReplaceAll(t[4], "non_replicated_deduplication_window", "replicated_deduplication_window")
			tables = append(tables, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s ON CLUSTER monev112%sENGINE = "+
				"ReplicatedReplacingMergeTree('/clickhouse/tables/%s/{database}/{table}', '{replica}'%s)%s",
				local, t[2], path, version, rest))
		}
	}
	all := append(tables, distributed...)
	for _, s := range views.Statements {
		all = append(all, createView.ReplaceAllString(s, "CREATE OR REPLACE VIEW $1 ON CLUSTER monev112 AS"))
	}
	return clusterHead + "\n" + strings.Join(all, ";\n\n") + ";\n", nil
}

// shardKey keeps a centre together; a table without centres is small, and lies anywhere.
func shardKey(columns string) string {
	if strings.Contains(columns, " center ") {
		return "cityHash64(center)"
	}
	return "rand()"
}

func TestClusterSchemaFollowsTheSchema(t *testing.T) {
	views, err := schema.Views(DefaultDatabase)
	if err != nil {
		t.Fatal(err)
	}
	want, err := clusterSchema(migrations(t), views)
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
		t.Errorf("%s is not what the schema gives: go test ./collector/store -run TestClusterSchema -args -update-cluster",
			clusterFile)
	}
}
