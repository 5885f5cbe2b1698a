import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.js';

describe('Metrics', () => {
  it('moves a request from waiting to running to finished', async () => {
    const metrics = new Metrics();
    const request = metrics.beginRequest('m:latest');
    expect(await metrics.text([])).toContain('tars_num_requests_waiting{model="m:latest"} 1');
    request.started();
    const running = await metrics.text([]);
    expect(running).toContain('tars_num_requests_waiting{model="m:latest"} 0');
    expect(running).toContain('tars_num_requests_running{model="m:latest"} 1');
    request.text();
    request.text();
    request.tokens(5, 2);
    request.finished('stop');
    request.finished('error');
    const text = await metrics.text([]);
    expect(text).toContain('tars_num_requests_running{model="m:latest"} 0');
    expect(text).toContain('tars_prompt_tokens_total{model="m:latest"} 5');
    expect(text).toContain('tars_generation_tokens_total{model="m:latest"} 2');
    expect(text).toContain('tars_time_to_first_token_seconds_count{model="m:latest"} 1');
    expect(text).toContain('tars_inter_token_latency_seconds_count{model="m:latest"} 1');
    expect(text).toContain('tars_e2e_request_latency_seconds_count{model="m:latest"} 1');
    expect(text).toContain('tars_request_success_total{model="m:latest",finished_reason="stop"} 1');
    expect(text).not.toContain('finished_reason="error"');
  });

  it('leaves the waiting count when a request fails before it starts', async () => {
    const metrics = new Metrics();
    metrics.beginRequest('m').finished('error');
    const text = await metrics.text([]);
    expect(text).toContain('tars_num_requests_waiting{model="m"} 0');
    expect(text).not.toContain('tars_num_requests_running{model="m"} -1');
  });

  it('shows only the models that are loaded now', async () => {
    const metrics = new Metrics();
    await metrics.text([{ model: 'a:latest', sizeBytes: 7 }]);
    const text = await metrics.text([{ model: 'b:latest', sizeBytes: 9 }]);
    expect(text).toContain('tars_loaded_models 1');
    expect(text).toContain('tars_model_memory_bytes{model="b:latest"} 9');
    expect(text).not.toContain('a:latest');
  });
});
