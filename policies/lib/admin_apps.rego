# METADATA
# description: Programs that control a cluster, a build or data, known by the repositories of their images.
package postscan.lib.admin_apps

# named is the application that an image is, whatever registry it was copied to. It has no value for others.
named(repository) := min({app |
	some app, patterns in images
	some pattern in patterns
	regex.match(pattern, lower(repository))
})

# of are the applications among these images.
of(repositories) := {app |
	some r in repositories
	app := named(r)
}

images := {
	"Kubernetes Dashboard": {`(^|/)kubernetesui/dashboard(-(web|api|auth))?$`, `(^|/)kubernetes-dashboard(-amd64)?$`},
	"Headlamp": {`(^|/)headlamp-k8s/headlamp$`},
	"Argo CD": {`(^|/)argoproj/argocd$`, `(^|/)argocd$`},
	"Argo Workflows": {`(^|/)argoproj/argocli$`},
	"Prometheus": {`(^|/)prom/prometheus$`, `(^|/)prometheus/prometheus$`, `(^|/)bitnami(legacy)?/prometheus$`},
	"Alertmanager": {`(^|/)prom/alertmanager$`, `(^|/)prometheus/alertmanager$`},
	"Grafana": {`(^|/)grafana/grafana(-(oss|enterprise))?$`, `(^|/)bitnami(legacy)?/grafana$`},
	"Jenkins": {`(^|/)jenkins/jenkins$`, `(^|/)bitnami(legacy)?/jenkins$`},
	"Kubeflow": {`(^|/)centraldashboard$`, `(^|/)ml-pipeline/frontend$`, `(^|/)kfp-frontend$`, `(^|/)(jupyter-web-app|volumes-web-app)$`},
	"Weave Scope": {`(^|/)weaveworks/scope$`},
	"Spark": {`(^|/)(library/|apache/|bitnami/|bitnamilegacy/)?spark$`, `(^|/)spark-history-server$`},
	"YARN": {`(^|/)hadoop-(resourcemanager|historyserver)$`, `(^|/)apache/hadoop$`},
	"Kafka Connect": {`(^|/)cp-(server-connect|kafka-connect)(-base)?$`, `(^|/)debezium/connect(-base)?$`},
	"a container registry": {
		`(^|/)(library|distribution)/(registry|distribution)$`,
		`(^|/)registry-photon$`,
		`(^|/)goharbor/harbor-core$`,
		`(^|/)zot-linux-[a-z0-9]+$`,
	},
	"Helm 2 Tiller": {`(^|/)tiller$`},
	"Portainer": {`(^|/)portainer/portainer(-(ce|ee))?$`},
	"Rancher": {`(^|/)rancher/rancher$`},
	"Airflow": {`(^|/)apache/airflow$`},
	"JupyterHub": {`(^|/)jupyterhub/(k8s-hub|jupyterhub)$`},
}
