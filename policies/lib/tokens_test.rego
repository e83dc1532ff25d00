package postscan.lib.tokens_test

import data.postscan.lib.tokens

workload(automount, volumes) := {"identity": {"automount": automount}, "volumes": volumes}

volume(audience, mounts) := {"mounts": mounts, "tokens": [{"audience": audience}]}

mount := {"container": "app"}

test_automatic if {
	tokens.mounted with input as workload(true, [])
	not tokens.mounted with input as workload(false, [])
}

test_declared if {
	every audience in ["", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"] {
		tokens.mounted with input as workload(false, [volume(audience, [mount])])
		not tokens.mounted with input as workload(false, [volume(audience, [])])
	}
}

test_for_others if {
	every audience in ["sts.amazonaws.com", "vault", "api://AzureADTokenExchange"] {
		not tokens.mounted with input as workload(false, [volume(audience, [mount])])
	}
}
