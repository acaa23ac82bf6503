import { get, path, post } from './client';
import type { JobDetails, JobName, Jobs, JobStep } from './schema/jobs';

/** Runs of a page. */
const RUNS_PER_PAGE = 50;

export function jobs(job: JobName | null, signal?: AbortSignal): Promise<Jobs> {
  return get<Jobs>(path('/jobs', { job, limit: RUNS_PER_PAGE }), signal);
}

export function job(run: number, signal?: AbortSignal): Promise<JobDetails> {
  return get<JobDetails>(path(`/jobs/${run}`), signal);
}

export function askForJob(name: JobName, step: JobStep): Promise<JobDetails> {
  return post<JobDetails>(path('/jobs'), { job: name, ...step });
}

export function cancelJob(run: number, step: JobStep): Promise<JobDetails> {
  return post<JobDetails>(path(`/jobs/${run}/cancel`), step);
}

export function retryJob(run: number, step: JobStep): Promise<JobDetails> {
  return post<JobDetails>(path(`/jobs/${run}/retry`), step);
}
