{{- define "postscan.labels" -}}
app.kubernetes.io/name: postscan
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "postscan.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest -}}
{{ $i.repository }}{{ with $i.tag }}:{{ . }}{{ end }}@{{ $i.digest }}
{{- else -}}
{{ $i.repository }}:{{ $i.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What all pods have: an account without rights, the default filter of system calls, nothing of the environment of others. */}}
{{- define "postscan.pod" -}}
enableServiceLinks: false
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if .Values.userNamespaces }}
hostUsers: false
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "postscan.container" -}}
image: {{ include "postscan.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "postscan.database" -}}
- name: POSTSCAN_DATABASE
  valueFrom:
    secretKeyRef:
      name: {{ .Values.server.database.secretName }}
      key: {{ .Values.server.database.secretKey }}
{{- end }}

{{/* Names and addresses are asked of the cluster's DNS. */}}
{{- define "postscan.dns" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end }}

{{/* Where what works the queue may go: the database, the API server where it scans the cluster, and what was asked for. */}}
{{- define "postscan.egress" -}}
{{- $s := .Values.server -}}
{{ include "postscan.dns" . }}
- to:
    {{- toYaml $s.networkPolicy.database.to | nindent 4 }}
  ports:
    - {port: {{ $s.networkPolicy.database.port }}, protocol: TCP}
{{- if $s.scansCluster }}
- to:
    {{- toYaml .Values.scanner.networkPolicy.to | nindent 4 }}
  ports:
    {{- range .Values.scanner.networkPolicy.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- with $s.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The roles that a scan holds. */}}
{{- define "postscan.roles" -}}
{{- $r := .Values.scanner.rights -}}
base{{ if $r.addOns }} add-ons{{ end }}{{ if $r.configMaps }} configmaps{{ end }}{{ if $r.secrets }} secrets{{ end }}{{ if $r.gatekeeper }} gatekeeper{{ end }}
{{- end }}

{{- define "postscan.uploadURL" -}}
{{- if .Values.scanner.upload.url -}}
{{ .Values.scanner.upload.url }}
{{- else if and .Values.server.enabled .Values.server.tls.enabled -}}
https://{{ .Release.Name }}-server.{{ .Release.Namespace }}.svc:{{ .Values.server.service.port }}/api/v1/uploads/cluster
{{- else -}}
{{ fail "scanner.upload.url: say where the report goes, as https://HOST/api/v1/uploads/AUDIT, or set scanner.upload.enabled: false" }}
{{- end -}}
{{- end }}
