{{/* The name of the chart, for labels. */}}
{{- define "super-todo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of every object. A release that is named after the chart is not named twice. */}}
{{- define "super-todo.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "super-todo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "super-todo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of a pod. Flux adds the commit to the version of the chart, and every commit would roll the pods. */}}
{{- define "super-todo.podLabels" -}}
{{ include "super-todo.selectorLabels" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | quote }}
app.kubernetes.io/component: web
app.kubernetes.io/part-of: super-todo
{{- end }}

{{- define "super-todo.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "super-todo.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "super-todo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "super-todo.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The environment variables of the ConfigMap, apart from it: its labels change with every commit too. */}}
{{- define "super-todo.config" -}}
PORT: {{ .Values.containerPort | quote }}
{{- range $name, $value := .Values.config }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
