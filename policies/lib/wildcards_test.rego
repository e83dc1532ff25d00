package postscan.lib.wildcards_test

import data.postscan.lib.wildcards

rule(verbs, groups, resources) := {
	"verbs": verbs,
	"api_groups": groups,
	"resources": resources,
	"resource_names": [],
	"non_resource_urls": [],
	"from": "",
}

wild(r) := wildcards.of([{"via": "", "rules": [r]}])

test_forms_of_resources if {
	count(wild(rule(["*"], [""], ["pods"]))) == 1
	count(wild(rule(["get"], [""], ["*"]))) == 1
	count(wild(rule(["get"], ["*"], ["*/proxy"]))) == 1
	count(wild(rule(["get"], ["*"], ["*/status"]))) == 0
	count(wild(rule(["get"], ["*"], ["pods/*", "*/*"]))) == 0
	{w.objects | some w in wild(rule(["*"], ["*"], ["pods/*", "*/*"]))} == {false}
}

test_everything_takes_all_three if {
	every w in wild(rule(["*"], ["*"], ["*"])) {
		wildcards.everything(w)
	}
	every r in [rule(["*"], ["apps"], ["*"]), rule(["get"], ["*"], ["*"]), rule(["*"], ["*"], ["pods"])] {
		every w in wild(r) {
			not wildcards.everything(w)
		}
	}
}
