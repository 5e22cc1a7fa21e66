//! The long-lived prover: requests in, responses out, one JSON object a line.
//!
//! One thread reads requests, `jobs` threads work on them, one waits for signals; any of them
//! writes responses. Nothing a request says can end the process, except `shutdown`.

mod error;
mod lines;
mod queue;
mod request;
mod response;
mod service;

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::ServeOptions;
use crate::cuda;
use error::RequestError;
use lines::{Line, Lines, MAX_LINE};
use queue::{FairQueue, QueueError};
use request::{Id, Operation, Request};
use response::Responses;
use service::Service;

/// Serves standard input until it ends, `shutdown` is asked for, or the process is told to stop.
///
/// # Errors
/// When threads or signal handlers cannot be set up, or a device was asked for that is not there.
pub fn run(options: &ServeOptions) -> io::Result<()> {
    let queue = Arc::new(FairQueue::<Request>::new(options.queue_limit));
    let responses = Arc::new(Responses::new());
    let engine = cuda::engine(&options.device()).map_err(io::Error::other)?;
    let service = Arc::new(Service::new(options, engine));

    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    {
        let (queue, responses) = (Arc::clone(&queue), Arc::clone(&responses));
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for (count, _) in signals.forever().enumerate() {
                    if count > 0 {
                        // Asked a second time: do not wait for the work in progress.
                        std::process::exit(1);
                    }
                    for request in queue.stop() {
                        responses.failed(&request.id, &RequestError::stopping());
                    }
                }
            })?;
    }
    {
        let (queue, responses) = (Arc::clone(&queue), Arc::clone(&responses));
        let service = Arc::clone(&service);
        thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || {
                let shutdown = read_requests(&queue, &responses, &service);
                responses.on_shutdown(shutdown);
                queue.finish();
            })?;
    }
    let workers: Vec<_> = (0..options.jobs)
        .map(|number| {
            let (queue, responses) = (Arc::clone(&queue), Arc::clone(&responses));
            let service = Arc::clone(&service);
            thread::Builder::new()
                .name(format!("job {number}"))
                .spawn(move || {
                    while let Some((request, waited)) = queue.take() {
                        match service.work(request.operation, waited, queue.as_ref()) {
                            Ok(result) => responses.done(&request.id, &result),
                            Err(error) => {
                                service.count_error(&error);
                                responses.failed(&request.id, &error);
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
    responses.close();
    Ok(())
}

/// Reads until the end of input or `shutdown`, whose id it returns.
fn read_requests(
    queue: &FairQueue<Request>,
    responses: &Responses,
    service: &Service,
) -> Option<Id> {
    let mut lines = Lines::new(io::stdin().lock(), MAX_LINE);
    let fail = |id: &Id, error: RequestError| {
        service.count_error(&error);
        responses.failed(id, &error);
    };
    loop {
        let bytes = match lines.next() {
            Ok(Line::Whole(bytes)) => bytes,
            Ok(Line::TooLong) => {
                fail(&Id::None, RequestError::too_long(MAX_LINE));
                continue;
            }
            Ok(Line::Cut) => {
                fail(&Id::None, RequestError::cut());
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
            Err((id, error)) => {
                fail(&id, error);
                continue;
            }
        };
        match request.operation {
            Operation::Shutdown => return Some(request.id),
            operation if operation.is_quick() => {
                match service.work(operation, std::time::Duration::ZERO, queue) {
                    Ok(result) => responses.done(&request.id, &result),
                    Err(error) => fail(&request.id, error),
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
                    Err(QueueError::Full { limit }) => fail(&id, RequestError::queue_full(limit)),
                    Err(QueueError::Stopping) => fail(&id, RequestError::stopping()),
                }
            }
        }
    }
}
