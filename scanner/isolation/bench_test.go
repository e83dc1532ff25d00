package isolation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/isolation"
)

// judged is an evaluator that costs nothing, so that what is measured is isolation.
type judged struct{}

func (judged) Evaluate(context.Context, *facts.Resource) ([]scanner.Outcome, error) { return nil, nil }
func (judged) Rules() []*scanner.Rule {
	return []*scanner.Rule{{ID: isolation.CheckID, Severity: scanner.SeverityMedium}}
}

// 22,000 workloads whose facts differ in what isolation asks about (all of them,
// or as in a real cluster few), and the part of the report that they make.
func BenchmarkWorkloads(b *testing.B) {
	const n = 22_000
	for _, distinct := range []int{40, n} {
		b.Run(fmt.Sprintf("distinct=%d", distinct), func(b *testing.B) {
			base := collect(b, bare(), node())
			all := make([]*facts.Resource, n)
			for i := range all {
				r, w := *base, *base.Facts.(*facts.Workload)
				r.ID = fmt.Sprintf("shop/Pod/p-%d", i)
				w.Containers = append([]facts.Container{}, w.Containers...)
				w.Containers[0].Name = r.ID
				w.Containers[0].AllowPrivilegeEscalation = fmt.Sprint(i % distinct) // a value that only differs
				r.Facts = &w
				all[i] = &r
			}
			b.ReportAllocs()
			for b.Loop() {
				e := isolation.NewEvaluator(judged{}, isolation.DefaultPolicy())
				for _, r := range all {
					if _, err := e.Evaluate(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
				var rep scanner.Report
				e.Report(&rep)
				if len(rep.Isolation.Groups) != distinct {
					b.Fatalf("%d groups", len(rep.Isolation.Groups))
				}
			}
		})
	}
}
