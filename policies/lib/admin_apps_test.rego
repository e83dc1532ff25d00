package postscan.lib.admin_apps_test

import data.postscan.lib.admin_apps

test_known if {
	admin_apps.named("argoproj/argocd") == "Argo CD"
	admin_apps.named("mirror/prometheus/prometheus") == "Prometheus"
	admin_apps.of(["grafana/grafana", "team/web", "kubernetes-helm/tiller"]) == {"Grafana", "Helm 2 Tiller"}
	admin_apps.of(["library/registry"]) == {"a container registry"}
}

test_others if {
	count(admin_apps.of(["team/web", "grafana/loki", "prom/node-exporter", "jenkins/inbound-agent", "library/registry-cleaner"])) == 0
}
