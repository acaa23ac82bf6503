/** Work of others that is delivered with these pages; tests compare the versions with package.json. */
export interface Credit {
  name: string;
  npm: string;
  version: string;
  licence: string;
  url: string;
  notice: string;
  docsOnly: boolean;
}

export const CREDITS: Credit[] = [
  {
    name: 'Lightweight Charts™',
    npm: 'lightweight-charts',
    version: '5.2.1',
    licence: 'Apache-2.0',
    url: 'https://www.tradingview.com/',
    notice: 'TradingView Lightweight Charts™. Copyright (c) TradingView, Inc. https://www.tradingview.com/',
    docsOnly: false,
  },
  {
    name: 'uPlot',
    npm: 'uplot',
    version: '1.6.32',
    licence: 'MIT',
    url: 'https://github.com/leeoniya/uPlot',
    notice: 'Copyright (c) 2022 Leon Sorokin.',
    docsOnly: false,
  },
  {
    name: 'Svelte',
    npm: 'svelte',
    version: '5.57.3',
    licence: 'MIT',
    url: 'https://svelte.dev/',
    notice: 'Copyright (c) 2016-2025 Svelte Contributors.',
    docsOnly: false,
  },
  {
    name: 'Inter',
    npm: '@fontsource-variable/inter',
    version: '5.3.0',
    licence: 'SIL Open Font License 1.1',
    url: 'https://rsms.me/inter/',
    notice: 'Copyright 2016 The Inter Project Authors (https://github.com/rsms/inter).',
    docsOnly: false,
  },
  {
    name: 'Swagger UI',
    npm: 'swagger-ui-dist',
    version: '5.35.0',
    licence: 'Apache-2.0',
    url: 'https://swagger.io/tools/swagger-ui/',
    notice: 'swagger-ui. Copyright 2020-2021 SmartBear Software Inc.',
    docsOnly: true,
  },
];
