"""Asks through the public network's Python SDK, as its users do, and writes what came of each step.

driver.py <job> <result>: the job is JSON {rpc, registry, relay, key, steps}. A step names its client: "direct" (`LLM`, over the node's
pinned TLS), "sealed" (`ConfidentialLLM`, through a relay), or "check" (nothing is asked: an answer that another client had is verified).
Every answer is verified by the SDK's own `tee_verify`, whether its client does that or not.
"""

import asyncio
import json
import sys

import opengradient as og
from opengradient.client import tee_verify
from opengradient.client.tee_registry import TEERegistry
from opengradient.types import ResponseFormat


def canonical_of(request):
    """What is hashed of a request, by the SDK's own rules where it has them: it has none for completions."""
    if "prompt" not in request:
        return tee_verify.build_inner_request(request)[1]
    hashed = {key: request[key] for key in ("model", "prompt", "max_tokens", "stop") if key in request}
    return {**hashed, "temperature": float(request["temperature"])}


def check(job, answer):
    """Verifies an answer by the SDK, against the key that the registry has."""
    registry = TEERegistry(rpc_url=job["rpc"], registry_address=job["registry"])
    [tee] = [tee for tee in registry.get_active_tees_by_type(0) if strip(tee.tee_id) == strip(answer["tee_id"])]
    canonical = canonical_of(answer["request"])
    hashed = answer["text"]
    if answer.get("calls"):
        hashed = json.dumps(answer["calls"], sort_keys=True)
    proof = tee_verify.verify_response(
        canonical_request=canonical,
        response_body={
            "tee_signature": answer["signature"],
            "tee_timestamp": answer["timestamp"],
            "tee_id": answer["tee_id"],
            # The SDK's client drops both; what it would have to say is what the answer hashes to.
            "tee_request_hash": tee_verify.keccak(tee_verify.canonical_request_bytes(canonical)).hex(),
            "tee_output_hash": tee_verify.keccak(hashed.encode("utf-8")).hex(),
        },
        response_content=hashed,
        signing_key_pem=tee_verify.pem_from_der(tee.signing_public_key_der),
        expected_tee_id=tee.tee_id,
    )
    return {"input_hash": proof.request_hash, "output_hash": proof.output_hash}


def strip(tee_id):
    return tee_id.lower().removeprefix("0x")


async def ask_direct(job, step):
    client = og.LLM(private_key=job["key"], rpc_url=job["rpc"], tee_registry_address=job["registry"])
    try:
        given = dict(step["ask"])
        if "response_format" in given:
            given["response_format"] = ResponseFormat(**given["response_format"])
        if "prompt" in given:
            out = await client.completion(**given)
            text, calls, reason = out.completion_output, None, None
        elif given.get("stream"):
            text, calls, reason, out = "", None, None, None
            async for chunk in await client.chat(**given):
                delta = chunk.choices[0].delta
                text += delta.content or ""
                calls = delta.tool_calls or calls
                reason = chunk.choices[0].finish_reason or reason
                if chunk.is_final:
                    out = chunk
            if out is None:
                raise RuntimeError("the stream has no final chunk")
        else:
            out = await client.chat(**given)
            text, calls, reason = out.chat_output.get("content"), out.chat_output.get("tool_calls"), out.finish_reason
        usage = getattr(out, "usage", None)
        return {
            "text": text or "",
            "calls": calls,
            "reason": reason,
            "usage": usage if usage is None or isinstance(usage, dict) else vars(usage),
            "signature": out.tee_signature,
            "timestamp": out.tee_timestamp,
            "tee_id": out.tee_id,
            "endpoint": out.tee_endpoint,
        }
    finally:
        await client.close()


def ask_sealed(job, step):
    client = og.ConfidentialLLM(job["relay"], rpc_url=job["rpc"], registry_address=job["registry"])
    result = client.chat(**step["ask"])
    body = result.body
    message = body["choices"][0].get("message") or {}
    return {
        "text": result.content,
        "calls": message.get("tool_calls"),
        "reason": body["choices"][0].get("finish_reason"),
        "usage": body.get("usage"),
        "signature": body["tee_signature"],
        "timestamp": body["tee_timestamp"],
        "tee_id": body["tee_id"],
        "frames": result.stream_frames and len(result.stream_frames),
        "proof": {"input_hash": result.proof.request_hash, "output_hash": result.proof.output_hash},
    }


async def run(job, step):
    if step["client"] == "check":
        return {"proof": check(job, step["answer"])}
    if step["client"] == "sealed":
        return await asyncio.to_thread(ask_sealed, job, step)
    answer = await ask_direct(job, step)
    try:
        return {**answer, "proof": check(job, {**answer, "request": step["request"]})}
    except tee_verify.VerificationError as error:
        return {**answer, "refused": str(error)}


async def main(job_file, result_file):
    with open(job_file, encoding="utf-8") as file:
        job = json.load(file)
    results = []
    for step in job["steps"]:
        try:
            results.append(await run(job, step))
        except Exception as error:
            results.append({"error": type(error).__name__, "reason": causes(error)})
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(results, file)


def causes(error):
    """The error's text and its causes'."""
    texts = []
    while error is not None:
        texts.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return " < ".join(texts)


asyncio.run(main(*sys.argv[1:]))
