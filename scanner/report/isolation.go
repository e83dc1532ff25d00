package report

import (
	"encoding/json"
	"fmt"

	"github.com/postscan/postscan/scanner"
)

// writeIsolation writes the isolation part, a group on each line: a cluster may
// have as many groups as workloads.
func writeIsolation(d *document, iso *scanner.Isolation) {
	if iso == nil {
		d.field("isolation", nil)
		return
	}
	d.name("isolation")
	d.text(`{"model": `)
	d.value(iso.Model)
	d.text(`, "groups": [`)
	for i := range iso.Groups {
		if i > 0 {
			d.text(",")
		}
		d.text("\n")
		d.value(&iso.Groups[i])
	}
	if len(iso.Groups) > 0 {
		d.text("\n")
	}
	d.text("]}")
}

// readIsolation reads what writeIsolation wrote. Another version of the model is
// an error: its numbers would be shown as if they were of this one.
func readIsolation(dec *json.Decoder) (*scanner.Isolation, error) {
	var iso *scanner.Isolation
	if err := dec.Decode(&iso); err != nil || iso == nil {
		return nil, err
	}
	if iso.Model != scanner.IsolationModel {
		return nil, fmt.Errorf("it is %q, this version reads %q", iso.Model, scanner.IsolationModel)
	}
	return iso, nil
}
