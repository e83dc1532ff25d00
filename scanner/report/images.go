package report

import (
	"fmt"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// How many workloads of an image are named.
const (
	maxImageUsersPage    = 50
	maxImageUsersComment = 5
)

// imageUsers names the workloads that run an image, limit of them, with the
// checks of the image that do not hold for them.
func imageUsers(im *scanner.RunningImage, limit int) string {
	var names []string
	for i, w := range im.Workloads {
		if i == limit && len(im.Workloads) > limit+1 {
			names = append(names, fmt.Sprintf("and %d more", len(im.Workloads)-limit))
			break
		}
		name := Clean(w.Resource.ID)
		if len(w.Masks) > 0 {
			name += " (" + strings.Join(w.Masks, ", ") + " does not hold)"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// images writes a row for each image that workloads of the report run.
func (m *markdown) images() {
	if len(m.r.Images) == 0 {
		return
	}
	if m.b.Len() > markdownMax {
		fmt.Fprintf(&m.b, "Which workloads run %s does not fit into a comment; the JSON or HTML report has it.\n\n", plural(len(m.r.Images), "image"))
		return
	}
	fmt.Fprintf(&m.b, "<details><summary><b>%s</b> that workloads run</summary>\n\n| image | run by | unknown for them |\n|---|---|---|\n", plural(len(m.r.Images), "image"))
	for i := range m.r.Images {
		im := &m.r.Images[i]
		line := fmt.Sprintf("| %s | %s | %s |\n", md(im.Resource.ID), md(imageUsers(im, maxImageUsersComment)), md(im.Problem))
		if m.b.Len()+len(line) > markdownMax {
			fmt.Fprintf(&m.b, "| … | | %d more images do not fit into a comment; the JSON or HTML report has all |\n", len(m.r.Images)-i)
			break
		}
		m.b.WriteString(line)
	}
	m.b.WriteString("\n</details>\n\n")
}
