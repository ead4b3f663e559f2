package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// importTable measures `monev112 import` of a CSV file as a city publishes it: rows read, mapped, sent and
// acknowledged.
func (b *bench) importTable(ctx context.Context) error {
	csv := filepath.Join(b.dir, "requests.csv")
	if err := writeRequests(csv, b.importRows); err != nil {
		return err
	}
	p, err := b.serveNew(ctx, "import", "")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	began := time.Now()
	cmd := exec.CommandContext(ctx, b.program, "import", "--server", "http://"+p.addr, "--mapping",
		"boston311-2015-h1", "--rejects", filepath.Join(b.dir, "rejects.csv"), csv)
	serveBefore, engineBefore := p.used()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("import: %w\n%.2000s", err, out)
	}
	sent := time.Since(began)
	since, err := p.shipped(ctx)
	if err != nil {
		return err
	}
	stored := since.Sub(began)
	serve, engine := p.used()
	tickets, err := p.query("SELECT count() FROM monev112.tickets FINAL")
	if err != nil {
		return err
	}
	if tickets != fmt.Sprint(b.importRows) {
		return fmt.Errorf("%s tickets are stored, %d rows were imported", tickets, b.importRows)
	}
	events, err := p.query("SELECT count() FROM monev112.events FINAL")
	if err != nil {
		return err
	}
	b.table.add(figure{"import of a table, rows", perSecond(b.importRows, sent), "/s", true}, noGoal, "",
		fmt.Sprintf("%s rows, %s events acknowledged; stored with cases and clocks after %.1f s; processor time %.1f s "+
			"import + %.1f s serve + %.1f s engine", thousands(int64(b.importRows)), events, stored.Seconds(),
			(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()).Seconds(),
			(serve.cpu-serveBefore.cpu).Seconds(), (engine.cpu-engineBefore.cpu).Seconds()))
	return nil
}

// writeRequests writes service requests in the columns of the built-in mapping boston311-2015-h1.
func writeRequests(name string, n int) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	fmt.Fprintln(
		w, "CASE_ENQUIRY_ID,OPEN_DT,TARGET_DT,CLOSED_DT,OnTime_Status,CASE_STATUS,closure_class,SUBJECT,REASON,TYPE,"+
			"QUEUE,Department,fire_district,police_district,"+
			"neighborhood,ward,LOCATION_ZIPCODE,LATITUDE,LONGITUDE,Source")
	const layout = "01/02/2006 03:04:05 PM"
	start := time.Date(2015, 1, 5, 8, 0, 0, 0, time.UTC)
	reasons := []string{"Street Lights", "Sanitation", "Highway Maintenance", "Signs & Signals", "Catchbasin"}
	for i := range n {
		opened := start.Add(time.Duration(i) * 137 * time.Second)
		closed := ""
		if i%8 != 0 {
			closed = opened.Add(time.Duration(1+i%200) * time.Hour).Format(layout)
		}
		fmt.Fprintf(
			w, "10100%07d,%s,%s,%s,ONTIME,Closed,,Public Works Department,%s,Request,PWDx_Queue,"+
				"PWDx,4.0,D4,Roxbury,Ward %d,2119.0,42.3474,-71.0944,Constituent Call\n",
			i, opened.Format(layout), opened.Add(72*time.Hour).Format(layout), closed, reasons[i%len(reasons)], 1+i%22)
	}
	return w.Flush()
}
