// A page that draws one dashboard with the components of @grafana/ui. It shows queries, units, thresholds and layout; that
// Grafana loads the file it does not show. ?d=monev&theme=light&from=MS&to=MS&width=1600
import { createRoot } from 'react-dom/client';
import { useEffect, useState } from 'react';
import { applyFieldOverrides, createTheme, dateTime, dateMath, FieldConfigOptionsRegistry, FieldType, getFieldDisplayValues, identityOverrideProcessor, setTimeZoneResolver, ThemeContext, VizOrientation, type DataFrame } from '@grafana/data';
import { BarGauge, BigValue, BigValueTextMode, GlobalStyles, PanelChrome, PanelContextProvider, Table, TimeSeries } from '@grafana/ui';
import { run, type Range } from './query';

const query = new URLSearchParams(location.search);
const width = Number(query.get('width') ?? 1600);
const theme = createTheme({ colors: { mode: query.get('theme') === 'light' ? 'light' : 'dark' } });
setTimeZoneResolver(() => 'Asia/Jakarta');
const zone = 'Asia/Jakarta';

const ids = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'links', 'color'];
const custom = ['cellOptions', 'drawStyle', 'fillOpacity', 'lineWidth', 'showPoints', 'pointSize', 'fillBelowTo', 'axisPlacement', 'thresholdsStyle', 'stacking', 'width', 'align', 'hideFrom.viz', 'spanNulls', 'wrapText', 'wrapHeaderText', 'axisLabel'];
const option = (id: string, path: string, isCustom: boolean) => ({ id, path, name: id, isCustom, process: identityOverrideProcessor, shouldApply: () => true, editor: null, override: null }) as any;
const registry = new FieldConfigOptionsRegistry(() => [...ids.map((id) => option(id, id, false)), ...custom.map((id) => option(`custom.${id}`, id, true))]);
const bus: any = { publish() {}, getStream: () => ({ subscribe: () => ({ unsubscribe() {} }), pipe() { return this; } }), subscribe: () => ({ unsubscribe() {} }), removeAllListeners() {}, newScopedBus() { return this; } };

function Body({ p, data, w, h, range }: { p: any; data: DataFrame[]; w: number; h: number; range: Range }) {
  const copy = JSON.parse(JSON.stringify(p.fieldConfig));
  copy.defaults.thresholds.steps[0].value = -Infinity; // JSON has no infinity
  const frames = applyFieldOverrides({ data, theme, timeZone: zone, fieldConfig: copy, replaceVariables: (s: string) => s, fieldConfigRegistry: registry });
  if (!frames.length) return <div style={{ color: theme.colors.text.secondary, textAlign: 'center', paddingTop: h / 2 - 12 }}>{p.fieldConfig.defaults.noValue}</div>;
  if (p.type === 'timeseries') {
    for (const frame of frames) for (const f of frame.fields) f.config.custom = { lineInterpolation: 'linear', axisPlacement: 'auto', scaleDistribution: { type: 'linear' }, ...p.fieldConfig.defaults.custom, ...f.config.custom };
    const timeRange: any = { from: dateTime(range.from), to: dateTime(range.to), raw: { from: dateTime(range.from), to: dateTime(range.to) } };
    return <PanelContextProvider value={{ eventBus: bus, eventsScope: 'x' } as any}>
      <TimeSeries frames={frames} timeRange={timeRange} timeZone={zone} width={w} height={h} legend={p.options.legend} options={p.options} /></PanelContextProvider>;
  }
  if (p.type === 'table') {
    const frame = frames[0];
    return <Table data={{ ...frame, fields: frame.fields.filter((f) => !(f.config.custom as any)?.hideFrom?.viz) }} width={w} height={h} cellHeight={p.options.cellHeight} />;
  }
  if (p.type === 'geomap') return <Dots frame={frames[0]} w={w} h={h} />;
  const values = getFieldDisplayValues({ fieldConfig: copy, reduceOptions: p.options.reduceOptions, replaceVariables: ((s: string) => s) as any, theme, data: frames, sparkline: false, timeZone: zone });
  if (p.type === 'bargauge') {
    const room = Math.min(60, h / values.length);
    return <div>{values.map((v, i) => <div key={i} style={{ height: room }}>
      <BarGauge width={w} height={room - 6} orientation={VizOrientation.Horizontal} value={v.display} field={v.field} display={v.view?.getFieldDisplayProcessor(v.colIndex as any)} displayMode={p.options.displayMode} valueDisplayMode={p.options.valueMode} namePlacement={p.options.namePlacement} showUnfilled text={{ titleSize: 14, valueSize: 18 }} alignmentFactors={longest(values)} theme={theme} itemSpacing={8} lcdCellWidth={12} /></div>)}</div>;
  }
  if (p.type === 'stat') {
    const across = w >= h * 1.2 || values.length === 1;
    return <div style={{ display: 'flex', flexDirection: across ? 'row' : 'column', gap: 4 }}>{values.map((v, i) => <BigValue key={i} width={across ? w / values.length - 4 : w} height={across ? h : h / values.length - 4} value={v.display} count={values.length}
      colorMode={p.options.colorMode} graphMode={p.options.graphMode} justifyMode={p.options.justifyMode} textMode={p.options.textMode as BigValueTextMode} text={p.options.text} theme={theme} />)}</div>;
  }
  return <pre>{p.type}</pre>;
}

// The same factor for all bars of a panel, as Grafana's VizRepeater gives it.
function longest(values: any[]) {
  const by = (f: (v: any) => string) => values.map(f).reduce((a, b) => (b.length > a.length ? b : a), '');
  return { title: by((v) => v.display.title ?? ''), text: by((v) => v.display.text), suffix: '', prefix: '' } as any;
}

// Points without a ground: the geomap of Grafana needs the whole application.
function Dots({ frame, w, h }: { frame: DataFrame; w: number; h: number }) {
  const col = (n: string) => frame.fields.find((f) => f.name === n)!.values;
  const [lat, lon, n, name] = [col('lat'), col('lon'), col('Tiket'), col('Kecamatan')];
  const [x0, x1, y0, y1] = [Math.min(...lon), Math.max(...lon), Math.min(...lat), Math.max(...lat)], most = Math.max(...n);
  return <svg width={w} height={h}>{n.map((v: number, i: number) => {
    const x = 50 + ((lon[i] - x0) / (x1 - x0 || 1)) * (w - 130), y = h - 30 - ((lat[i] - y0) / (y1 - y0 || 1)) * (h - 60), r = 6 + 20 * Math.sqrt(v / most);
    return <g key={i}><circle cx={x} cy={y} r={r} fill="#d64545" opacity={0.55} /><text x={x + r + 3} y={y + 4} fontSize={11} fill={theme.colors.text.primary}>{name[i]} {v}</text></g>;
  })}</svg>;
}

function Panel({ p, d, range }: any) {
  const [s, set] = useState<any>({});
  const w = (p.gridPos.w * (width - 16)) / 24 - 8, h = p.gridPos.h * 38 - 8;
  useEffect(() => {
    if (p.type === 'row') return; // asks for nothing and is not waited for
    Promise.all((p.targets ?? []).map((t: any) => run(t, d, range))).then((r) => set({ data: r.flat() }), (e) => set({ err: String(e) }))
      .finally(() => { document.body.dataset.done = String(Number(document.body.dataset.done ?? 0) + 1); });
  }, []);
  const style = { position: 'absolute', left: 8 + (p.gridPos.x * (width - 16)) / 24, top: 52 + p.gridPos.y * 38 } as const;
  if (p.type === 'row') return <h4 style={{ ...style, color: theme.colors.text.primary, paddingTop: 8 }}>▾ {p.title}</h4>;
  return <div style={style}><PanelChrome width={w} height={h} title={p.title} description={p.description} statusMessage={s.err} padding={p.type === 'table' ? 'none' : 'md'}>
    {(iw: number, ih: number) => (s.err ? <small data-error={s.err}>{s.err}</small> : s.data ? <Body p={p} data={s.data} w={iw} h={ih} range={range} /> : <>…</>)}</PanelChrome></div>;
}

const d = await (await fetch(`/json/${query.get('d') ?? 'live'}`)).json();
const moment = (name: string, up: boolean) => (query.has(name) ? Number(query.get(name)) : dateMath.toDateTime(d.time[name], { roundUp: up, timezone: zone })!.valueOf());
const range = { from: moment('from', false), to: moment('to', true) };
const rows = Math.max(...d.panels.map((p: any) => p.gridPos.y + p.gridPos.h));
const shown = d.templating.list.filter((v: any) => !v.hide).map((v: any) => `${v.label}: ${v.current.text}`).join('   ');
await Promise.all(['400 14px Inter', '500 14px Inter'].map((f) => document.fonts.load(f))); // names are measured before they are drawn
document.body.dataset.panels = String(d.panels.filter((p: any) => p.type !== 'row').length);
createRoot(document.getElementById('root')!).render(<ThemeContext.Provider value={theme}><GlobalStyles />
  <div style={{ background: theme.colors.background.canvas, height: 60 + rows * 38, width, position: 'relative', overflow: 'hidden' }}>
    <div style={{ padding: '12px 16px', color: theme.colors.text.primary, fontSize: 18 }}><b>{d.title}</b><span style={{ marginLeft: 24, fontSize: 14, color: theme.colors.text.secondary, whiteSpace: 'pre' }}>{shown}</span></div>
    {d.panels.map((p: any) => <Panel key={p.id} p={p} d={d} range={range} />)}</div></ThemeContext.Provider>);
