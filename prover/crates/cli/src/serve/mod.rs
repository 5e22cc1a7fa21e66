//! The long-lived helper: requests in, answers out, one JSON object a line.
//!
//! One thread reads requests, `jobs` threads work on them, one waits for signals; any of them
//! writes answers. Nothing a request says can end the process, except `shutdown`.

mod answer;
mod lines;
mod queue;
mod request;
mod service;

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::ServeOptions;
use crate::cuda;
use answer::{Answers, Failure};
use lines::{Line, Lines};
use queue::{FairQueue, Refusal};
use request::{Id, Operation, Request};
use service::Service;

/// Longest request in bytes.
const MAX_LINE: usize = 1 << 20;

/// Serves standard input until it ends, `shutdown` is asked for, or the process is told to stop.
///
/// # Errors
/// When threads or signal handlers cannot be set up, or a device was asked for that is not there.
pub fn run(options: &ServeOptions) -> io::Result<()> {
    let queue = Arc::new(FairQueue::<Request>::new(options.queue_limit));
    let answers = Arc::new(Answers::new());
    let engine = cuda::engine(&options.device).map_err(io::Error::other)?;
    let service = Arc::new(Service::new(options, engine));

    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    {
        let (queue, answers) = (Arc::clone(&queue), Arc::clone(&answers));
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for (count, _) in signals.forever().enumerate() {
                    if count > 0 {
                        // Asked a second time: do not wait for the work in progress.
                        std::process::exit(1);
                    }
                    for request in queue.stop() {
                        answers.failed(&request.id, &Failure::stopping());
                    }
                }
            })?;
    }
    {
        let (queue, answers) = (Arc::clone(&queue), Arc::clone(&answers));
        let service = Arc::clone(&service);
        thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || {
                let shutdown = read_requests(&queue, &answers, &service);
                answers.on_shutdown(shutdown);
                queue.finish();
            })?;
    }
    let workers: Vec<_> = (0..options.jobs)
        .map(|number| {
            let (queue, answers) = (Arc::clone(&queue), Arc::clone(&answers));
            let service = Arc::clone(&service);
            thread::Builder::new()
                .name(format!("job {number}"))
                .spawn(move || {
                    while let Some((request, waited)) = queue.take() {
                        match service.work(request.operation, waited, queue.as_ref()) {
                            Ok(result) => answers.done(&request.id, &result),
                            Err(failure) => {
                                service.count_failure(&failure);
                                answers.failed(&request.id, &failure);
                            }
                        }
                        queue.done();
                    }
                })
        })
        .collect::<io::Result<_>>()?;
    for worker in workers {
        // Panics of requests are caught inside; one here has been printed already.
        let _ = worker.join();
    }
    answers.close();
    Ok(())
}

/// Reads until the end of input or `shutdown`, whose id it returns.
fn read_requests(queue: &FairQueue<Request>, answers: &Answers, service: &Service) -> Option<Id> {
    let mut lines = Lines::new(io::stdin().lock(), MAX_LINE);
    let refuse = |id: &Id, failure: Failure| {
        service.count_failure(&failure);
        answers.failed(id, &failure);
    };
    loop {
        let bytes = match lines.next() {
            Ok(Line::Whole(bytes)) => bytes,
            Ok(Line::TooLong) => {
                refuse(&Id::None, Failure::too_long(MAX_LINE));
                continue;
            }
            Ok(Line::Cut) => {
                refuse(&Id::None, Failure::cut());
                return None;
            }
            Ok(Line::End) => return None,
            Err(error) => {
                eprintln!("standard input: {error}");
                return None;
            }
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let request = match Request::parse(bytes) {
            Ok(request) => request,
            Err((id, failure)) => {
                refuse(&id, failure);
                continue;
            }
        };
        match request.operation {
            Operation::Shutdown => return Some(request.id),
            operation if operation.is_quick() => {
                match service.work(operation, std::time::Duration::ZERO, queue) {
                    Ok(result) => answers.done(&request.id, &result),
                    Err(failure) => refuse(&request.id, failure),
                }
            }
            operation => {
                let client = operation.client().to_owned();
                let id = request.id.clone();
                let queued = queue.put(
                    &client,
                    Request {
                        id: request.id,
                        operation,
                    },
                );
                match queued {
                    Ok(()) => {}
                    Err(Refusal::Full { limit }) => refuse(&id, Failure::queue_full(limit)),
                    Err(Refusal::Stopping) => refuse(&id, Failure::stopping()),
                }
            }
        }
    }
}
