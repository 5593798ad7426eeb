#!/usr/bin/env python3
"""Prints each reading as it comes: MQTT_HOST, MQTT_PORT, MQTT_USERNAME and MQTT_PASSWORD say where from. pip install 'paho-mqtt>=2'"""
import json
import os
import sys
import paho.mqtt.client as mqtt

def on_message(client, userdata, message):
    reading = json.loads(message.payload or "null")  # empty where an inverter was forgotten
    print(f"{reading['reported_at']} {reading['serial']} {reading['power_w']} W" if reading else f"{message.topic} is gone", flush=True)

def on_connect(client, userdata, flags, reason, properties):
    if reason.is_failure:  # such as "Not authorized": the next attempt would be no better
        sys.exit(f"the broker refuses the connection: {reason}")
    client.subscribe("envoy/+/inverters/+", qos=1)  # with each new connection

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.username_pw_set(os.environ.get("MQTT_USERNAME", "tail"), os.environ.get("MQTT_PASSWORD"))
client.on_connect = on_connect
client.on_message = on_message
client.connect(os.environ.get("MQTT_HOST", "localhost"), int(os.environ.get("MQTT_PORT", "1883")))
client.loop_forever()
