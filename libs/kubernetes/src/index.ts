export { inClusterAccess, kubeconfigAccess, type KubeAccess } from './kube-access.js';
export { KubeClient, type KubeRequest } from './kube-client.js';
export { watchResource, type KubeObject, type ResourceState, type WatchOptions } from './watch-resource.js';
