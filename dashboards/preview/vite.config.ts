import { defineConfig } from 'vite';
import react from '@vitejs/plugin-react';
import { cpSync, existsSync, readFileSync } from 'node:fs';

const prometheus = process.env.PROMETHEUS ?? 'http://127.0.0.1:9090';
const clickhouse = process.env.CLICKHOUSE ?? 'http://127.0.0.1:8123';
if (!existsSync('public/public')) cpSync('node_modules/@grafana/ui/dist/public', 'public/public', { recursive: true });

export default defineConfig({
  plugins: [react(), {
    name: 'dashboards',
    configureServer(server) {
      server.middlewares.use('/json', (req, res) => {
        res.setHeader('content-type', 'application/json');
        res.end(readFileSync(`../json/${/^\/(\w+)/.exec(req.url ?? '')?.[1]}.json`));
      });
    },
  }],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': {} },
  resolve: { alias: { 'react-custom-scrollbars-2': '/src/scrollbars.tsx' } },
  server: {
    port: 19173, host: '127.0.0.1', strictPort: true,
    proxy: {
      '/prom': { target: prometheus, rewrite: (p) => p.replace(/^\/prom/, '') },
      '/ch': { target: clickhouse, rewrite: () => '/?database=monev112&default_format=JSON', headers: { origin: clickhouse, host: new URL(clickhouse).host } },
    },
  },
});
