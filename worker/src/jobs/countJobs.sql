SELECT state, failure_code, count(*)::integer AS jobs
FROM jobs
GROUP BY state, failure_code
