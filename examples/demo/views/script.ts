import { formatTimeLeft } from './time.js';

/** Counts the lifetimes down, and shows what a script gets from a protected route. */
export const SCRIPT = `
const formatTimeLeft = ${formatTimeLeft.toString()};
const counters = document.querySelectorAll('[data-left-ms]');
if (counters.length > 0) setInterval(() => {
  for (const counter of counters) {
    counter.textContent = formatTimeLeft(Number(counter.dataset.leftMs) - performance.now());
  }
}, 1000);

const part = (name) => document.getElementById('xhr-' + name);

async function send() {
  part('follow').hidden = true;
  try {
    const response = await fetch('/api/me', { headers: { accept: 'application/json' } });
    const body = await response.json();
    const type = (response.headers.get('content-type') ?? '').split(';')[0];
    part('status').textContent = response.status + ' ' + type;
    part('status').className = response.ok ? 'good' : 'bad';
    part('body').textContent = JSON.stringify(body, null, 2);
    if (body.signInUrl) {
      const url = new URL(body.signInUrl);
      url.searchParams.set('return_to', '/#xhr');
      part('follow').href = url.href;
      part('follow').hidden = false;
    }
  } catch (error) {
    part('status').textContent = String(error);
    part('status').className = 'bad';
    part('body').textContent = '';
  }
  part('result').hidden = false;
}

part('send')?.addEventListener('click', send);
// Back from signInUrl: the same request again, which now succeeds.
if (part('send') && location.hash === '#xhr') void send();
`;
