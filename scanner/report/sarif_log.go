package report

import "github.com/postscan/postscan/scanner"

// The part of the SARIF 2.1.0 object model that postscan writes; names and
// meaning are those of the standard (docs.oasis-open.org/sarif/sarif/v2.1.0).
//
// The known Go library (owenrumney/go-sarif v3.3.0) was tried first. It always
// writes index, parentIndex and rank with their default of -1 and a dozen empty
// arrays for each result; the validator of code scanning warns of each
// (SARIF2004), and files triple in size. So the few objects stand here.
type (
	sarifID struct {
		ID string `json:"id"`
	}
	// sarifComponent is a toolComponent: the driver, whose rules are written one by
	// one, or a taxonomy.
	sarifComponent struct {
		Name                string              `json:"name"`
		Organization        string              `json:"organization,omitempty"`
		Version             string              `json:"version,omitempty"`
		SemanticVersion     string              `json:"semanticVersion,omitempty"`
		InformationURI      string              `json:"informationUri,omitempty"`
		ShortDescription    *sarifText          `json:"shortDescription,omitempty"`
		SupportedTaxonomies []sarifComponentRef `json:"supportedTaxonomies,omitempty"`
		Taxa                []sarifTaxon        `json:"taxa,omitempty"`
	}
	// sarifTaxon is a control of a framework. It has a title and a status where
	// the report on that framework was asked for.
	sarifTaxon struct {
		ID               string         `json:"id"`
		ShortDescription *sarifText     `json:"shortDescription,omitempty"`
		Properties       map[string]any `json:"properties,omitempty"`
	}
	sarifComponentRef struct {
		Name  string `json:"name"`
		Index *int   `json:"index,omitempty"`
	}
	// sarifRule is a reportingDescriptor.
	sarifRule struct {
		ID                   string          `json:"id"`
		Name                 string          `json:"name"`
		ShortDescription     sarifText       `json:"shortDescription"`
		FullDescription      sarifText       `json:"fullDescription"`
		Help                 sarifText       `json:"help"`
		HelpURI              string          `json:"helpUri"`
		DefaultConfiguration sarifConfig     `json:"defaultConfiguration"`
		Relationships        []sarifRelation `json:"relationships,omitempty"`
		Properties           map[string]any  `json:"properties"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifRelation struct {
		Target struct {
			ID            string            `json:"id"`
			ToolComponent sarifComponentRef `json:"toolComponent"`
		} `json:"target"`
		Kinds []string `json:"kinds"`
	}
	// sarifText is a message or a multiformatMessageString.
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		StartTimeUTC        string              `json:"startTimeUtc"`
		EndTimeUTC          string              `json:"endTimeUtc"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level      string         `json:"level"`
		Message    sarifText      `json:"message"`
		Properties map[string]any `json:"properties,omitempty"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		BaselineState       string             `json:"baselineState,omitempty"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          sarifProperties    `json:"properties"`
	}
	// sarifProperties are what a result says in postscan's own words.
	sarifProperties struct {
		Check            string              `json:"check"`
		Severity         scanner.Severity    `json:"severity"`
		Resource         scanner.ResourceRef `json:"resource"`
		Evidence         []scanner.Evidence  `json:"evidence"`
		Key              string              `json:"key,omitempty"`
		Rendered         bool                `json:"rendered,omitempty"`
		Layer            *scanner.LayerRef   `json:"layer,omitempty"`
		Package          string              `json:"package,omitempty"`
		InstalledVersion string              `json:"installedVersion,omitempty"`
		FixedVersion     string              `json:"fixedVersion,omitempty"`
		Purl             string              `json:"purl,omitempty"`
	}
	sarifSuppression struct {
		Kind          string         `json:"kind"`
		Status        string         `json:"status"`
		Justification string         `json:"justification"`
		Properties    map[string]any `json:"properties,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region sarifRegion `json:"region"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)
