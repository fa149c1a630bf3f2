import { describe, expect, it } from 'vitest';
import { canonicalWorkload } from './workload.js';

function name(podName: string, labels: string[] = [], identity = 0): string {
  const { kind, name: own } = canonicalWorkload({ namespace: 'ns', podName, labels, identity });
  return `${kind}/${own}`;
}

describe('the canonical workload', () => {
  it.each([
    ['reviews-v1-545db77b95-s6jb8', 'Deployment/reviews-v1'],
    ['istio-galley-7994d74d58-s2pwm', 'Deployment/istio-galley'],
    ['coredns-789c5fbdb4-vb8r9', 'Deployment/coredns'],
    ['node-local-dns-cw6pv', '/node-local-dns'],
    ['redis-0', 'StatefulSet/redis'],
    ['kafka-broker-12', 'StatefulSet/kafka-broker'],
    ['backup-28391040-x2k4q', 'CronJob/backup'],
    ['pos', 'Pod/pos'],
    ['kube-apiserver-master', 'Pod/kube-apiserver-master'],
    ['worker-007', 'Pod/worker-007'],
  ])('of pod %s is %s', (pod, workload) => {
    expect(name(pod)).toBe(workload);
  });

  it('is found although Kubernetes cut the name to make room for the random end', () => {
    const owner = `a${'-long-name'.repeat(5)}`;
    const cut = `${owner}-6b8f9dx2k4q`;
    expect(cut).toHaveLength(63);
    expect(name(cut)).toBe(`Deployment/${owner}`);
  });

  it('prefers the owner that the pod name shows to labels, and labels to a pod of its own', () => {
    const labels = ['k8s:app=legacy', 'k8s:app.kubernetes.io/name=shop', 'k8s:k8s-app=dns'];
    expect(name('cart-5d6d8cfd55-sj27m', labels)).toBe('Deployment/cart');
    expect(name('pos', labels)).toBe('/shop');
    expect(name('pos', labels.toReversed())).toBe('/shop');
    expect(name('pos', ['k8s:app=legacy', 'k8s:k8s-app=dns'])).toBe('/dns');
    expect(name('', ['app=bare'])).toBe('/bare');
    expect(name('', ['container:app=other-source'])).toBe('/');
  });

  it('knows jobs by their label', () => {
    expect(name('report-x2k4q', ['k8s:job-name=report'])).toBe('Job/report');
    expect(name('report-28391040-x2k4q', ['k8s:batch.kubernetes.io/job-name=report-28391040'])).toBe(
      'CronJob/report',
    );
  });

  it('of what is no pod is its reserved label, kube-apiserver first, the world as one', () => {
    expect(name('', ['reserved:host'])).toBe('/reserved:host');
    expect(name('', ['reserved:host', 'reserved:kube-apiserver'])).toBe('/reserved:kube-apiserver');
    expect(name('', ['cidr:10.0.0.0/8', 'reserved:world'])).toBe('/reserved:world');
    expect(name('', ['reserved:world-ipv6'])).toBe('/reserved:world');
    expect(name('', ['fqdn:example.com', 'reserved:world-ipv4'])).toBe('/reserved:world');
  });

  it('falls back to reserved and local-scope identities where labels are masked', () => {
    expect([
      '/reserved:world',
      '/reserved:world',
      '/reserved:host',
      '/reserved:remote-node',
      '/',
      '/',
    ]).toEqual([2, 0x0100_0007, 1, 0x0200_0001, 0, 20_000].map((identity) => name('', [], identity)));
  });
});
