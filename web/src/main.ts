import { mount } from 'svelte';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import App from './App.svelte';
import { reportLater } from './report_later';

addEventListener('error', (event) => reportLater(event.error ?? event.message));
addEventListener('unhandledrejection', (event) => reportLater(event.reason));

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element with the id "app"');
mount(App, { target });
