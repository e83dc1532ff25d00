package scanner

// IsolationModel is the name and version of the way in which levels and scores
// are worked out. A change of a condition or of a number is another version:
// scores of two versions are not compared.
const IsolationModel = "postscan.isolation/v1"

// Isolation says of every workload which boundary separates it from its
// neighbours (the level) and how well that boundary is kept (the score).
type Isolation struct {
	Model string `json:"model"` // IsolationModel
	// Groups are the workloads whose facts about isolation are equal, worst first.
	Groups []IsolationGroup `json:"groups"`
}

// IsolationGroup is one result and the workloads that have it.
type IsolationGroup struct {
	// Level is what is certain, 0 to 6: what could not be seen counts as if it were bad.
	Level     int    `json:"level"`
	LevelName string `json:"level_name"`
	// BestLevel is the level if everything that could not be seen were good.
	BestLevel int `json:"best_level"`
	// Score is what is certain, 0 to 100, below its ceiling; BestScore as BestLevel.
	Score      int    `json:"score"`
	BestScore  int    `json:"best_score"`
	Grade      string `json:"grade"`      // A (80 and more), B (60), C (40), D (20), E; of Score
	Confidence int    `json:"confidence"` // of the 100 points, those whose facts are known
	// Points are all 100 points, with the fact that gave or withheld each.
	Points   []IsolationPoint   `json:"points"`
	Breakers []IsolationBreaker `json:"breakers"` // what keeps the level at 0 or 1
	Ceiling  *IsolationCeiling  `json:"ceiling" jsonschema:"nullable"`
	// Unseen are dangers that would lower the score if they were known, and that no fact tells of.
	Unseen []string `json:"unseen"`
	// Steps raise the level or the score, the cheapest first; empty where postscan knows none.
	Steps     []IsolationStep    `json:"steps"`
	Workloads []IsolatedWorkload `json:"workloads"` // by target and id
}

// States of the points of one fact.
const (
	PointsGiven    = "given"    // all of them
	PointsPartial  = "partial"  // some; the rest is withheld
	PointsWithheld = "withheld" // none
	PointsUnknown  = "unknown"  // some or all depend on what was not seen; these are not given
)

// IsolationPoint is the points of one fact.
type IsolationPoint struct {
	Part    string `json:"part"` // "kernel boundary", "capabilities" …
	What    string `json:"what"` // what they are given for
	State   string `json:"state"`
	Given   int    `json:"given"`
	Unknown int    `json:"unknown"` // what might be given if the fact were seen
	Max     int    `json:"max"`
	Fact    string `json:"fact"`   // path in the facts of the workload
	Value   string `json:"value"`  // what stands there; "" where nothing was seen
	Reason  string `json:"reason"` // why so many and not more, in words
}

// IsolationBreaker is a fact that breaks the isolation whatever else is done.
type IsolationBreaker struct {
	Level int    `json:"level"` // 0 or 1: the level that it leaves at most
	What  string `json:"what"`
	Known bool   `json:"known"` // false: it cannot be ruled out
	Fact  string `json:"fact"`
	Value string `json:"value"`
}

// IsolationCeiling is the highest score that something allows.
type IsolationCeiling struct {
	Score  int    `json:"score"`
	Reason string `json:"reason"`
}

// IsolationStep is one change that raises the level or the score.
type IsolationStep struct {
	Text string `json:"text"`
	// Cost is 1: a field of the pod spec, 2: the application may have to change with it, 3: much of the pod
	// spec, 4: the nodes or the cluster have to change, 5: other nodes are needed.
	Cost  int `json:"cost"`
	Level int `json:"level"` // after it
	Score int `json:"score"` // after it
}

// IsolatedWorkload is a workload of a group.
type IsolatedWorkload struct {
	Target    string      `json:"target"`
	Resource  ResourceRef `json:"resource"`
	Container string      `json:"container"` // the weakest one, on which the points are worked out
	Class     string      `json:"class"`     // untrusted, tenant-shared, default or system
	// Required is the level that the policy asks for; 0 where PS-PATH-010 was not judged.
	Required int `json:"required"`
	// Verdict is that of PS-PATH-010; empty where it was not judged.
	Verdict Status `json:"verdict"`
}
